/** The table of functions an expression may call: each overload with its types, as cel-go declares them. */
import type { CelType } from './types.ts';
import type { CelEvaluationError } from './values.ts';

export interface Overload {
  /** The receiver comes first. */
  readonly args: readonly CelType[];
  readonly member: boolean;
  readonly result: CelType | ((args: readonly CelType[]) => CelType);
  /** Throws {@link CelEvaluationError}. */
  readonly run: (...args: never[]) => unknown;
}

export type Library = Readonly<Record<string, readonly Overload[]>>;

/** A function `f(a, b)`. */
export const fn = (args: readonly CelType[], result: Overload['result'], run: Overload['run']): Overload => ({ args, member: false, result, run });
/** A method `a.f(b)`. */
export const method = (args: readonly CelType[], result: Overload['result'], run: Overload['run']): Overload => ({ args, member: true, result, run });
/** Both `f(a)` and `a.f()`. */
export const both = (args: readonly CelType[], result: Overload['result'], run: Overload['run']): readonly Overload[] => [
  fn(args, result, run),
  method(args, result, run),
];
