// Node's HTTP module. An `import` of it reads every export at once, and one of them loads a whole HTTP client that nobody here uses:
// 13 MB and 30 ms.

export const http = process.getBuiltinModule("node:http");
