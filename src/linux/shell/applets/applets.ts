/** All the small programs by name: busybox' in containers, coreutils and friends on the laptop. */
import type { Program } from '../../program.ts';
import { awk } from './awk.ts';
import { fileApplets } from './files.ts';
import { nano } from './nano.ts';
import { networkApplets } from './network.ts';
import { sed } from './sed.ts';
import { systemApplets } from './system.ts';
import { tar } from './tar.ts';
import { textApplets } from './text.ts';

export const applets: Readonly<Record<string, Program>> = { ...textApplets, ...fileApplets, ...systemApplets, ...networkApplets, sed, awk, nano, tar };

/** Looks into the machine that the host grants: each gives the text the program of that name prints. */
export interface HostTools {
  /** `ip addr`, `ip route`, `ip neigh`, … : the arguments after `ip`; undefined when the object is unknown. */
  ip?(args: readonly string[]): string | undefined;
  /** `iptables-save`, optionally of one table. */
  iptablesSave?(table: string | undefined): string;
  ss?(args: readonly string[]): string;
  conntrack?(args: readonly string[]): string;
}

/** `ip`, `iptables-save`, `ss`, `conntrack` of one machine. */
export function hostApplets(tools: HostTools): Readonly<Record<string, Program>> {
  const table: Record<string, Program> = {};
  const { ip, iptablesSave, ss, conntrack } = tools;
  if (ip)
    table['ip'] = async (self) => {
      const args = self.argv.slice(1);
      const text = ip(args);
      if (text === undefined) {
        self.stderr(args.length === 0 ? 'Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n' : `Object "${args[0]}" is unknown, try "ip help".\n`);
        return 1;
      }
      self.stdout(text);
      return 0;
    };
  if (iptablesSave)
    table['iptables-save'] = async (self) => {
      const at = self.argv.indexOf('-t');
      self.stdout(iptablesSave(at < 0 ? undefined : self.argv[at + 1]));
      return 0;
    };
  if (ss)
    table['ss'] = async (self) => {
      self.stdout(ss(self.argv.slice(1)));
      return 0;
    };
  if (conntrack)
    table['conntrack'] = async (self) => {
      self.stdout(conntrack(self.argv.slice(1)));
      return 0;
    };
  return table;
}
