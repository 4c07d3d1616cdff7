// At most N at a time, first come first served. N may change: it counts from the next coming or going on.

export interface Semaphore {
  /** Resolves with the release function when a place is free; the release may be called once only. */
  acquire(): Promise<() => void>;
  readonly waiting: number;
  readonly active: number;
}

export function createSemaphore(limit: number | (() => number)): Semaphore {
  const limitNow = typeof limit === "number" ? () => limit : limit;
  let active = 0;
  const queue: (() => void)[] = [];

  const release = () => {
    active -= 1;
    letIn();
  };
  const letIn = () => {
    while (active < limitNow()) {
      const next = queue.shift();
      if (!next) return;
      next();
    }
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
      new Promise((resolve) => {
        queue.push(() => resolve(take()));
        letIn();
      }),
    get waiting() {
      return queue.length;
    },
    get active() {
      return active;
    },
  };
}
