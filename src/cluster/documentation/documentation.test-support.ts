/**
 * What Kubernetes' documentation shows, done here: manifests in the shape of those its pages print, applied in a cluster
 * as a reader would, and the outcome the page tells of. Each page has a namespace of its own in one shared world.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Pod } from '../../kubernetes/api/types.gen.ts';
import { seconds } from '../../sim/clock.ts';
import { cluster, type Lab } from '../testing.ts';

export class Page {
  constructor(
    readonly lab: Lab,
    private readonly namespace: string,
  ) {}

  /** A command with `-n` of the page; it must succeed. What it prints, without the last newline. */
  async run(command: string): Promise<string> {
    return (await this.lab.ok(this.placed(command))).trimEnd();
  }
  /** The same for a command that must fail: its standard error. */
  async refused(command: string): Promise<string> {
    const { exitCode, stderr } = await this.lab.run(this.placed(command));
    expect(exitCode, command).not.toBe(0);
    return stderr.trimEnd();
  }
  private placed(command: string): string {
    return command.replaceAll(/\bkubectl /g, `kubectl -n ${this.namespace} `);
  }
  /** `kubectl apply -f -` of a manifest. */
  async apply(manifest: string): Promise<string> {
    return this.run(`kubectl apply -f - <<'MANIFEST'\n${unindent(manifest)}\nMANIFEST`);
  }
  wait(duration: number): Promise<void> {
    return this.lab.wait(seconds(duration));
  }
  /** Waits until a command prints what is wanted. */
  async until(command: string, wanted: RegExp, limit = 300): Promise<string> {
    let printed = '';
    for (let i = 0; i < limit; i++) {
      const { stdout, stderr } = await this.lab.run(this.placed(command));
      printed = stdout + stderr;
      if (wanted.test(printed)) return printed.trimEnd();
      await this.wait(1);
    }
    throw new Error(
      `after ${limit} virtual seconds \`${command}\` still does not print ${wanted}, but\n${printed}\n${(await this.lab.run(this.placed('kubectl get pods,events'))).stdout}`,
    );
  }
  /** The pod's object. */
  async pod(name: string): Promise<Pod> {
    return JSON.parse(await this.run(`kubectl get pod ${name} -o json`)) as Pod;
  }
}

/** The manifest without the indentation of the test it stands in. */
function unindent(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const margin = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(margin)).join('\n');
}

/** A file of pages in one world. `page` is the path under kubernetes.io/docs. */
export function documentation(): (page: string, what: string, read: (page: Page) => Promise<void>) => void {
  let lab: Lab;
  let pages = 0;
  beforeAll(async () => {
    lab = await cluster('three-nodes');
  }, 60_000);
  return (path, what, read) => {
    test(`${path}: ${what}`, async () => {
      const namespace = `page-${++pages}`;
      await lab.ok(`kubectl create namespace ${namespace}`);
      await read(new Page(lab, namespace));
      await lab.ok(`kubectl delete namespace ${namespace} --wait=false`);
    });
  };
}
