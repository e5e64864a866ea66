/** What client-go logs on standard error, past whatever prints errors. */
import type { ProgramContext } from '../../linux/program.ts';
import { timestamp } from '../api/time.ts';

/** `E0105 08:00:42.000123   12345 file.go:1] …`. */
export const klog = (self: ProgramContext, text: string): string => {
  const now = self.process.clock.now();
  const stamp = timestamp(now);
  const pid = 'pid' in self ? String(self.pid) : '1';
  return `E${stamp.slice(5, 7)}${stamp.slice(8, 10)} ${stamp.slice(11, 19)}.${String(now % 1_000_000).padStart(6, '0')} ${pid.padStart(7)} ${text}\n`;
};
