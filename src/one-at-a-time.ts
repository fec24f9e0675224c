/** Runs a job on request, one run after the other; requests during a run come to one run more. */

export interface OneAtATime {
  request(): void;
  /** Heeds no more requests; settles when the run under way has ended. */
  end(): Promise<void>;
}

export function oneAtATime(job: () => Promise<void>, onFault: (error: unknown) => void): OneAtATime {
  let running: Promise<void> | undefined;
  let isRequested = false;
  let isEnded = false;
  const run = async (): Promise<void> => {
    while (isRequested && !isEnded) {
      // What is asked for from here on may come too late for this run.
      isRequested = false;
      await job().catch(onFault);
    }
    running = undefined;
  };
  return {
    request: () => {
      if (isEnded) return;
      isRequested = true;
      // Not at once, so that a job that requests another run finds itself under way.
      running ??= Promise.resolve().then(run);
    },
    end: async () => {
      isEnded = true;
      await running;
    },
  };
}
