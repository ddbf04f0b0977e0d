/** The tool that joins two grana. */

/** Returns the tool. */
export function joinTool(stage) {
  let first = null;
  let second = null;
  const tool = {
    name: "join",
    needs: "granum",
    hint: "Click the granum to join to this one, or step to it with N and P and press Enter.",
    start() {
      first = stage.number();
      second = null;
      stage.repaint();
    },
    stop() {
      first = second = null;
      stage.repaint();
    },
    /** The granum that would be joined, for the picture. */
    second: () => second,
    /** Takes a granum of the list or of the picture. */
    pick(number, atOnce) {
      if (number === null || number === first) return;
      second = number;
      stage.repaint();
      if (atOnce) tool.confirm();
    },
    stepFrom: () => second ?? first,
    async confirm() {
      if (second === null) {
        stage.notices.warn("Choose the second granum first.");
        return;
      }
      const grana = [first, second];
      stage.leave();
      const answer = await stage.edit({ do: "join", grana });
      if (answer?.changed.length) stage.select(answer.changed.at(-1).number);
    },
    back: () => false,
    key: () => false,
  };
  return tool;
}
