/** The tool that splits a granum in two by a line. */

import { cornersTool } from "./corners.js";

/** Returns the tool. */
export function cutTool(stage) {
  return {
    name: "cut",
    needs: "granum",
    hint: "Click the ends of a line right across the granum, with corners between if need be. Double-click or Enter cuts.",
    ...cornersTool(stage, {
      closed: false,
      least: 2,
      short: "A cut has two ends, both outside of the granum.",
      async finish(line) {
        const granum = stage.number();
        stage.leave();
        const answer = await stage.edit({ do: "split", granum, line });
        if (answer?.changed.length) stage.select(answer.changed[0].number);
      },
    }),
  };
}
