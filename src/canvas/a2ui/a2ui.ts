// Puts A2UI together. Loaded when somebody shows something, or opens the page.

import type { Ids } from "../../base/ids.ts";
import type { Database } from "../../platform/database.ts";
import { createBoards, type Boards } from "./boards.ts";
import { createLoads, type Loads } from "./loads.ts";
import { createPages, type Pages, type PagesDependencies } from "./pages.ts";

export interface A2uiDependencies extends Omit<PagesDependencies, "boards" | "loads"> {
  readonly database: Database;
  readonly ids: Ids;
}

export interface A2ui {
  readonly boards: Boards;
  readonly loads: Loads;
  readonly pages: Pages;
}

export function createA2ui(dependencies: A2uiDependencies): A2ui {
  const boards = createBoards(dependencies);
  const loads = createLoads(dependencies.ids);
  return { boards, loads, pages: createPages({ ...dependencies, boards, loads }) };
}
