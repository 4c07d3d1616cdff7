// The browser's time for the page: its timers are not Node's.

export const pageClock = {
  now: () => Date.now(),
  after(delayMs: number, task: () => void) {
    const handle = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
