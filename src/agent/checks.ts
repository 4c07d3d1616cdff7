// What may be wrong with the models.

import type { Check } from "../ports/check.ts";
import { offlineRef, type ModelChoice } from "./models.ts";

export function createModelCheck(chooseModels: () => ModelChoice): Check {
  return {
    id: "models",
    async run() {
      const { specs, unusable } = chooseModels();
      const findings = unusable.map(({ ref, reason, next }) => ({
        id: "models.unusable",
        severity: "warning" as const,
        message: `model ${ref} cannot be used: ${reason}`,
        next,
      }));
      const isDemo = specs.some((spec) => `${spec.provider}/${spec.model}` === offlineRef);
      if (!isDemo) return findings;
      return [
        ...findings,
        {
          id: "models.offline",
          severity: "info" as const,
          message: "no model is set up: the built-in offline demo answers",
          next: "set agents.defaults.model and the provider's key, such as ANTHROPIC_API_KEY",
        },
      ];
    },
  };
}
