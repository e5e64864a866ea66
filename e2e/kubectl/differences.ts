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

export const DIFFERENCES: readonly Difference[] = [];
