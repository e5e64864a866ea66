/**
 * Where our kubectl or our API server still differs from the real ones, and why. The suite fails when a
 * difference listed here is gone: the list may only shrink.
 */
export interface Difference {
  readonly scenario: string;
  /** The line as it stands in the scenario. */
  readonly line: string;
  readonly reason: string;
}

const HELP = 'help texts are ours: short, without the long description and the examples';

const all = (scenario: string, reason: string, lines: readonly string[]): readonly Difference[] => lines.map((line) => ({ scenario, line, reason }));

export const DIFFERENCES: readonly Difference[] = [
  ...all('create with mistakes', HELP, ['kubectl create secret']),
  ...all('rollout', HELP, ['kubectl rollout']),
  ...all('top without metrics', HELP, ['kubectl top']),
];
