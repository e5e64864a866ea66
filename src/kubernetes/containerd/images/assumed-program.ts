/** What stands in for a program nobody here has written: it runs until TERM and answers 200 on the ports its container names. */
import type { ProgramContext } from '../../../linux/program.ts';
import { isMachineContext } from '../../../linux/shell/machine.ts';
import type { ContainerMachineOptions } from '../task.ts';
import { service } from './service.ts';

const portsOf = (self: ProgramContext): readonly number[] =>
  isMachineContext(self) && 'ports' in self.machine.options ? ((self.machine.options as ContainerMachineOptions).ports ?? []) : [];

export const assumed = (image: string) =>
  service((it) => {
    const ports = portsOf(it.self);
    it.out(`orrery: ${image} is assumed: ${ports.length === 0 ? 'it runs, and does nothing' : `it answers 200 on port ${ports.join(', ')}`}`);
    for (const port of ports)
      it.http(port, () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: `${image} (assumed) on ${it.self.hostname}\n` }));
  });
