// A command at a real terminal: python3's pty module makes it, for Node has none. What is shown is read as a person reads it, and
// keys are pressed as a person presses them.

import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

/** For `skip`: why there are no terminals here. */
export const noTerminal: string | false =
  spawnSync("python3", ["-c", "import pty"]).status === 0
    ? false
    : "python3 with its pty module is not on this machine";

const relay = `
import fcntl, os, pty, select, struct, sys, termios
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
sources = [master, 0]
while True:
    for ready in select.select(sources, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b""
        if ready == 0:
            if data: os.write(master, data)
            else: sources.remove(0)
        elif data:
            os.write(1, data)
        else:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

export const keys = {
  enter: "\r",
  up: "\u001B[A",
  down: "\u001B[B",
  escape: "\u001B",
  interrupt: "\u0003",
  clear: "\u0015",
} as const;

export interface Terminal {
  /** All that was shown, without colours and movements. */
  shown(): string;
  /** Resolves when `text` is shown after what was waited for last. */
  expect(text: string, timeoutMs?: number): Promise<void>;
  /** Waits for the question, then types. */
  answer(question: string, ...typed: readonly string[]): Promise<void>;
  type(text: string): void;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  kill(): void;
}

export function openTerminal(argv: readonly string[], { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string }): Terminal {
  const whole = { ...env, TERM: "xterm-256color" };
  const child = spawn("python3", ["-c", relay, ...argv], { env: whole, cwd, stdio: ["pipe", "pipe", "pipe"] });
  let shown = "";
  let seen = 0;
  let notify = () => {};
  const take = (chunk: Buffer) => {
    shown += stripVTControlCharacters(chunk.toString());
    notify();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.on("error", () => undefined);
  let isOver = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      isOver = true;
      resolve(code);
      notify();
    });
  });

  const expect = (text: string, timeoutMs = 20_000) =>
    new Promise<void>((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        notify = () => {};
        reject(new Error(`${why}: "${text}" was not shown; this was:\n${shown}`));
      };
      const timer = setTimeout(() => fail("too late"), timeoutMs);
      notify = () => {
        const at = shown.indexOf(text, seen);
        if (at === -1) {
          if (isOver) fail("it ended");
          return;
        }
        clearTimeout(timer);
        notify = () => {};
        seen = at + text.length;
        resolve();
      };
      notify();
    });
  const type = (text: string) => void child.stdin.write(text);
  return {
    shown: () => shown,
    expect,
    async answer(question, ...typed) {
      await expect(question);
      for (const text of typed) {
        // a person is slower than that; an escape that comes together with the next key would be another key
        await new Promise((resolve) => {
          setTimeout(resolve, 60);
        });
        type(text);
      }
    },
    type,
    ended,
    kill: () => void child.kill("SIGKILL"),
  };
}
