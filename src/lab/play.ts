/**
 * Plays a lesson in a world of its own, as CI does: its preparation, its steps, its solutions and its
 * wrong turns.
 */

import { cluster, type Lab } from '../cluster/testing.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import { parseDuration } from '../sim/duration.ts';
import { type Evidence, evaluate, kindOf, type Objects } from './check.ts';
import type { Action, Check, Lesson, Step } from './lesson.ts';

export class Play {
  private atStart: Objects = [];
  private constructor(
    readonly lab: Lab,
    private readonly lesson: Lesson,
  ) {}

  /** A world ready for the lesson's first step. */
  static async begin(lesson: Lesson, seed: number): Promise<Play> {
    const play = new Play(await cluster(lesson.cluster, seed), lesson);
    for (const action of lesson.before ?? []) await play.act(action, true);
    return play;
  }

  enter(step: Step): void {
    this.atStart = this.objects(step.done);
  }

  /** Carries out one action; with `strict`, a command that fails is an error. */
  async act(action: Action, strict: boolean): Promise<void> {
    if ('run' in action) await (strict ? this.lab.ok(action.run) : this.lab.run(action.run));
    else if ('apply' in action) await this.lab.ok(`kubectl apply -f - <<'EOF'\n${action.apply}\nEOF`);
    else if ('fault' in action) await this.lab.fault(action.fault);
    else await this.lab.wait(parseDuration(action.wait));
  }

  /** True when every check holds now. */
  holds(checks: readonly Check[]): boolean {
    return this.verdicts(checks).every(({ holds }) => holds);
  }
  verdicts(checks: readonly Check[]) {
    const evidence: Evidence = { now: this.objects(checks), atStart: this.atStart };
    return checks.map((check) => evaluate(check, evidence));
  }

  private objects(checks: readonly Check[]): Objects {
    const kinds = new Set([...checks, ...this.lesson.steps.flatMap((step) => step.done)].map(kindOf));
    return RESOURCES.filter((row) => kinds.has(row.kind) && row.group !== 'events.k8s.io').flatMap((row) => this.lab.objects(row.plural));
  }
}
