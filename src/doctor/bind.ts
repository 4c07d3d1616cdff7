// Does a bind mode stay on this machine.

export const isLoopbackBind = (bind: string | undefined): boolean =>
  bind === undefined || bind === "loopback" || bind === "auto";
