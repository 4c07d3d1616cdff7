// How the table of commands loads those of quick.ts.

const load = () => import("./quick.ts");

/** `name`: of the command there. */
export const quick = (name: keyof Awaited<ReturnType<typeof load>>) => async () => ({ run: (await load())[name] });
