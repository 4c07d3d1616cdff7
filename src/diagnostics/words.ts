// The words that may leave in a text: those of this program's own sources, and of what systems and platforms say. A name, a chat's
// title or a sentence of somebody has words that are not among them.

import { readdir, readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";

// replaced by the build; from sources it is absent, and they are read
declare const BUILD_WORDS: string | undefined;

export type Words = ReadonlySet<string>;

/** Of systems, platforms and Node, as far as our own texts do not have them. */
const others = `a about active activating after already an and auto-restart bad be because been before blocked bot busy by byte bytes call
  cannot certificate chat closed code conflict connect connection could created daily dead deactivating denied descriptor did directory
  disabled disk does down enabled end entity error exceeded exec exhausted exist exists exited expired failed failure family file files
  flood flooded for forbidden found from full gateway generic group had hang has have height host if in inactive initiated input
  insufficient internal interrupted into invalid is it its job kernel key kicked killed left level limit linger loaded long longer
  main make many masked maximum member memory message method missing mode model module moved must name near network no node not
  notification now null of off on open opened operation or other output out overloaded parse parameter parser peer permission pid pipe
  plan please poll polling port process program quota rate read reading reason refused request requests required reset resource
  resources response restart retry running sent server service session short signal since size socket space started starting state
  status stopped such supergroup syntax system take target temporarily terminated text than that the there they this thread time
  timed timeout to token too try two type unable unauthorized unavailable unexpected unit unknown unreachable until up updates upgraded
  upstream url use used user valid value version waiting was webhook when which while will with without write wrong you your
  sunday monday tuesday wednesday thursday friday saturday loopback linux darwin windows x64 arm64 systemd launchd sqlite malformed image
  corrupt database constraint readonly locked undefined object function string number constructor property properties cannot
  doesn isn wasn aren couldn wouldn won don didn hasn haven shouldn
  anthropic openai google telegram api getupdates getme sendmessage node_modules dist src bin openclaw moltbot clawdbot`;

const word = /\p{L}[\p{L}\p{M}\p{N}]*/gu;

/** Read once for a bundle. */
export async function readWords(): Promise<Words> {
  const own = typeof BUILD_WORDS === "string" ? BUILD_WORDS : await readSources(join(import.meta.dirname, ".."));
  const codes = Object.keys({ ...constants.errno, ...constants.signals });
  return new Set(wordsIn(`${own} ${others} ${codes.join(" ")} ENOTFOUND ECONNABORTED EAI AGAIN ENODATA`));
}

export const wordsIn = (text: string): readonly string[] => text.match(word) ?? [];

/** Tests plant what must not leave. */
async function readSources(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sources = entries.filter(({ name }) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const texts = await Promise.all(sources.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")));
  return texts.join("\n");
}
