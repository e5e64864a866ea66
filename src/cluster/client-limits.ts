/** `--kube-api-qps` and `--kube-api-burst` of a component: how fast it may ask. Without them the components of a world do not hold back. */
import type { ApiHandler } from '../kubernetes/api/request.ts';
import { throttled } from '../kubernetes/client/throttle.ts';
import type { ProgramContext } from '../linux/program.ts';

/** Upstream's defaults, for the flag of the two that is not given. */
export interface Defaults {
  readonly qps: number;
  readonly burst: number;
}

/** Throws an Error with pflag's words for what is no number. */
export function limitedByFlags(self: ProgramContext, flags: ReadonlyMap<string, string>, handler: ApiHandler, defaults: Defaults): ApiHandler {
  const number = (name: string, fallback: number, whole: boolean): number => {
    const text = flags.get(name);
    if (text === undefined) return fallback;
    if (whole ? !/^[-+]?\d+$/.test(text) : !/^[-+]?\d+(\.\d+)?$/.test(text))
      throw new Error(
        `invalid argument ${JSON.stringify(text)} for "--${name}" flag: strconv.Parse${whole ? 'Int' : 'Float'}: parsing ${JSON.stringify(text)}: invalid syntax`,
      );
    return Number(text);
  };
  const limits = { qps: number('kube-api-qps', defaults.qps, false), burst: number('kube-api-burst', defaults.burst, true) };
  return throttled(handler, self.process, limits, (message) => self.stdout(`I ${message}\n`));
}
