/** `--write-out table`: boxes, for what comes in rows; everything else is refused. */
import type { MembersResponse } from '../../etcd/api.ts';
import { CtlError, ExitCode } from '../errors.ts';
import type { EndpointHash, EndpointHealth, EndpointStatus, Printer } from './printer.ts';
import { hashRows, healthRows, memberRows, type Rows, statusRows } from './rows.ts';

const refuse = (): never => {
  throw new CtlError(ExitCode.BadFeature, 'table not supported as output format');
};

/** tablewriter's: heads in capitals and centred, cells to the right. */
export function box({ head, rows }: Rows): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const centred = (text: string, width: number): string => {
    const left = Math.floor((width - text.length) / 2);
    return `${' '.repeat(left)}${text}${' '.repeat(width - text.length - left)}`;
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return (
    line +
    row(head.map((title, i) => centred(title.toUpperCase(), widths[i]!))) +
    line +
    rows.map((cells) => row(cells.map((cell, i) => cell.padStart(widths[i]!)))).join('') +
    line
  );
}

export class TablePrinter implements Printer {
  constructor(private readonly out: (text: string) => void) {}

  readonly get = refuse;
  readonly put = refuse;
  readonly del = refuse;
  readonly txn = refuse;
  readonly watch = refuse;
  readonly grant = refuse;
  readonly revoke = refuse;
  readonly keepAlive = refuse;
  readonly timeToLive = refuse;
  readonly leases = refuse;
  readonly member = refuse;
  readonly alarms = refuse;
  readonly moveLeader = refuse;

  memberList(response: MembersResponse): void {
    this.out(box(memberRows(response)));
  }
  health(list: readonly EndpointHealth[]): void {
    this.out(box(healthRows(list)));
  }
  status(list: readonly EndpointStatus[]): void {
    this.out(box(statusRows(list)));
  }
  hashKv(list: readonly EndpointHash[]): void {
    this.out(box(hashRows(list)));
  }
}
