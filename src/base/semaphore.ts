// At most N at a time, first come first served.

export interface Semaphore {
  /** Resolves with the release function when a place is free; the release may be called once only. */
  acquire(): Promise<() => void>;
  readonly waiting: number;
  readonly active: number;
}

export function createSemaphore(limit: number): Semaphore {
  let active = 0;
  const queue: (() => void)[] = [];

  const release = () => {
    active -= 1;
    queue.shift()?.();
  };
  const take = () => {
    active += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      release();
    };
  };

  return {
    acquire: () =>
      active < limit
        ? Promise.resolve(take())
        : new Promise((resolve) => {
            queue.push(() => resolve(take()));
          }),
    get waiting() {
      return queue.length;
    },
    get active() {
      return active;
    },
  };
}
