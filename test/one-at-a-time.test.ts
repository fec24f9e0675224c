import { expect, test } from "vitest";
import { oneAtATime } from "../src/one-at-a-time.ts";

/** A job whose runs end by hand. */
function manualJob() {
  const runs: PromiseWithResolvers<void>[] = [];
  const started: (() => void)[] = [];
  return {
    job: (): Promise<void> => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      started.shift()?.();
      return run.promise;
    },
    runs,
    nextStart: (): Promise<void> => new Promise((resolve) => started.push(resolve)),
  };
}

test("requests during a run come to one run more", async () => {
  const { job, runs, nextStart } = manualJob();
  const jobs = oneAtATime(job, () => {});
  const first = nextStart();
  jobs.request();
  await first;
  for (let i = 0; i < 5; i++) jobs.request();
  expect(runs).toHaveLength(1);
  const second = nextStart();
  runs[0]?.resolve();
  await second;
  runs[1]?.resolve();
  await jobs.end();
  expect(runs).toHaveLength(2);
});

test("requests that come together before the first run are one", async () => {
  const { job, runs, nextStart } = manualJob();
  const jobs = oneAtATime(job, () => {});
  const first = nextStart();
  for (let i = 0; i < 5; i++) jobs.request();
  await first;
  runs[0]?.resolve();
  await jobs.end();
  expect(runs).toHaveLength(1);
});

test("a run that fails is told, and the next one runs", async () => {
  const { job, runs, nextStart } = manualJob();
  const faults: unknown[] = [];
  const jobs = oneAtATime(job, (fault) => faults.push(fault));
  const first = nextStart();
  jobs.request();
  await first;
  const second = nextStart();
  jobs.request();
  runs[0]?.reject("no luck");
  await second;
  expect(faults).toEqual(["no luck"]);
  runs[1]?.resolve();
  await jobs.end();
});

test("a job may request the next run itself", async () => {
  let count = 0;
  const done = Promise.withResolvers<void>();
  const jobs = oneAtATime(
    async () => {
      if (++count === 2) done.resolve();
      else jobs.request();
    },
    () => {},
  );
  jobs.request();
  await done.promise;
  await jobs.end();
  expect(count).toBe(2);
});

test("the end waits for the run under way, and no other follows", async () => {
  const { job, runs, nextStart } = manualJob();
  const jobs = oneAtATime(job, () => {});
  const first = nextStart();
  jobs.request();
  await first;
  jobs.request();
  const ended = jobs.end();
  jobs.request();
  runs[0]?.resolve();
  await ended;
  expect(runs).toHaveLength(1);
});
