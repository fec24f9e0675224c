/** What dnsperf prints, read. */

export interface Outcome {
  readonly completed: number;
  /** answers among the completed with RCODE NOERROR */
  readonly noError: number;
  readonly lost: number;
  readonly answersPerSecond: number;
}

/** The statistics at the end of a run. */
export function outcomeIn(printed: string): Outcome {
  const completed = numberIn(printed, /Queries completed:\s+(\d+)/);
  return {
    completed,
    noError: completed === 0 ? 0 : numberIn(printed, /Response codes:(?:.*?NOERROR (\d+)|)/),
    lost: numberIn(printed, /Queries lost:\s+(\d+)/),
    answersPerSecond: numberIn(printed, /Queries per second:\s+([\d.]+)/),
  };
}

/** Of each answer that `dnsperf -v` tells of, like `> NOERROR outlook.office365.com A 0.000063`, in seconds. */
export function latenciesIn(printed: string): readonly number[] {
  return [...printed.matchAll(/^> (?!T\b|I\b)\S+ .*?([\d.]+)$/gm)].map(([, seconds]) => Number(seconds));
}

function numberIn(printed: string, pattern: RegExp): number {
  const found = pattern.exec(printed);
  if (found === null) throw new Error(`dnsperf printed nothing like ${pattern}:\n${printed.slice(-2000)}`);
  return Number(found[1] ?? 0);
}
