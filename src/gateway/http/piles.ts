// Bodies while they come: pages that are filled and used again. A list of pieces would cost hundreds of bytes for each, and whoever sends
// decides how small they are; what is thrown away stays in memory until somebody looks for garbage.

/** Pieces of any size, and then one for so many bytes: packets of a slow line are larger than that. */
const freePieces = 16_384;
const bytesPerPiece = 512;
/** Most bodies, and those that hardly come, need no more than this. */
const firstBytes = 512;
const pageBytes = 16 * 1024;
/** Pages that wait for the next body: 8 MB. */
const maxSpare = 512;

export interface Pile {
  /** False: too many pieces for so few bytes. */
  add(chunk: Buffer): boolean;
  whole(): Buffer;
  /** Once, when nothing is added or asked any more. */
  close(): void;
}

/** One for all bodies. */
export function createPiles(): { open(): Pile } {
  const spare: Buffer[] = [];
  return {
    open() {
      const pages: Buffer[] = [];
      let only: Buffer | undefined;
      /** Of the last page. */
      let filled = 0;
      let size = 0;
      let pieces = 0;
      const nextPage = () => {
        const bytes = pages.length === 0 ? firstBytes : pageBytes;
        const page = (bytes === pageBytes ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
        pages.push(page);
        filled = 0;
        return page;
      };
      const write = (chunk: Buffer) => {
        for (let from = 0; from < chunk.byteLength;) {
          const last = pages.at(-1);
          const page = last && filled < last.byteLength ? last : nextPage();
          const copied = chunk.copy(page, filled, from);
          filled += copied;
          from += copied;
        }
      };
      return {
        add(chunk) {
          pieces += 1;
          if (pieces > freePieces + size / bytesPerPiece) return false;
          size += chunk.byteLength;
          // most bodies come in one piece: it is not copied
          if (pieces === 1) only = chunk;
          else {
            if (only) write(only);
            only = undefined;
            write(chunk);
          }
          return true;
        },
        whole: () => only ?? Buffer.concat(pages, size),
        close() {
          for (const page of pages.splice(0))
            if (page.byteLength === pageBytes && spare.length < maxSpare) spare.push(page);
        },
      };
    },
  };
}
