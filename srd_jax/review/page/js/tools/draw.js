/** The tool that draws a new granum. */

import { cornersTool } from "./corners.js";

/** Returns the tool. */
export function drawTool(stage) {
  return {
    name: "draw",
    hint: "Click the corners of a new granum. Double-click or Enter closes it, Backspace takes the last corner back.",
    ...cornersTool(stage, {
      closed: true,
      least: 3,
      short: "An outline has at least 3 corners.",
      async finish(outline) {
        stage.leave();
        const answer = await stage.edit({ do: "add", outline });
        if (answer?.changed.length) stage.select(answer.changed.at(-1).number);
      },
    }),
  };
}
