/** Listens to the server's events, and says when the connection is lost. */

const AGAIN_MS = 2000;

/**
 * Calls back on each event and on each change of the connection.
 * @param {{onState: function(): Promise<void>, onConnection: function(boolean, ?Error): void}} given
 */
export function listenToServer({ onState, onConnection }) {
  let source = null;
  let timer = null;
  let fetching = false;
  let again = false;

  // Events may come faster than the state can be fetched: one fetch at a time, and a last one.
  async function fetchState() {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    do {
      again = false;
      try {
        await onState();
        onConnection(true, null);
      } catch (error) {
        onConnection(false, error);
        retry();
      }
    } while (again);
    fetching = false;
  }

  function retry() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.hidden) return;
      if (source?.readyState === EventSource.CLOSED) open();
      else fetchState();
    }, AGAIN_MS);
  }

  function open() {
    source?.close();
    source = new EventSource("/api/events");
    source.addEventListener("open", fetchState);
    source.addEventListener("state", fetchState);
    source.addEventListener("message", fetchState);
    source.addEventListener("error", () => {
      onConnection(false, null);
      retry();
    });
  }

  // A browser opens six connections to a server: tabs out of sight must not hold one each.
  function onSight() {
    if (document.hidden) source?.close();
    else open();
  }

  onSight();
  document.addEventListener("visibilitychange", onSight);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}
