/**
 * The CEL expressions of an AuthenticationConfiguration (KEP-3331; apiserver `pkg/authentication/cel`, `plugin/pkg/authenticator/
 * token/oidc`): they see the token's `claims`, or the `user` that was made of them. Brought in with a configuration file.
 */
import type { User } from '../authentication.ts';
import { CelCompileError, type CelProgram, compile } from '../cel/environment.ts';
import type { ClaimOrExpression, JwtAuthenticator } from './configuration.ts';

type Claims = Readonly<Record<string, unknown>>;

/** What is asked of a token once its signature, its audience and its time are right. Each throws an Error that says why not. */
export interface ClaimRules {
  checkClaims(claims: Claims): void;
  username(claims: Claims): string;
  groups(claims: Claims): readonly string[];
  uid(claims: Claims): string | undefined;
  extra(claims: Claims): Readonly<Record<string, readonly string[]>>;
  checkUser(user: User): void;
}

interface Reports {
  /** `Invalid value: "…": compilation failed: …`, at a field. */
  push(text: string): void;
}

const NOTHING: CelProgram = { expression: '', type: 'dyn', uses: new Set(), evaluate: () => undefined, value: () => undefined };

/** Compiles the expressions of one issuer; what does not compile is reported at its field. */
export function rulesOf({ claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtAuthenticator, at: string, errors: Reports): ClaimRules {
  const program = (field: string, expression: string, variable: 'claims' | 'user', returns: 'bool' | 'dyn' = 'dyn'): CelProgram => {
    try {
      return compile(expression, { variables: [variable], returns });
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      errors.push(`${at}.${field}: Invalid value: ${JSON.stringify(expression)}: ${error.message}`);
      return NOTHING;
    }
  };
  const of = (field: string, mapping: ClaimOrExpression | undefined): CelProgram | undefined =>
    mapping?.expression ? program(`claimMappings.${field}.expression`, mapping.expression, 'claims') : undefined;
  const { username, groups, uid, extra = [] } = claimMappings;
  const [nameOf, groupsOf, uidOf] = [of('username', username), of('groups', groups), of('uid', uid)];
  const extras = extra.map(({ key, valueExpression }, i) => [key, program(`claimMappings.extra[${i}].valueExpression`, valueExpression, 'claims')] as const);
  const rules = (list: readonly { readonly expression?: string; readonly message?: string }[], name: string, variable: 'claims' | 'user') =>
    list.flatMap(({ expression, message = '' }, i) =>
      expression ? [{ expression, message, program: program(`${name}[${i}].expression`, expression, variable, 'bool') }] : [],
    );
  const claimRules = rules(claimValidationRules, 'claimValidationRules', 'claims');
  const userRules = rules(userValidationRules, 'userValidationRules', 'user');

  const run = (what: string, { evaluate }: CelProgram, bindings: Readonly<Record<string, unknown>>): unknown => {
    try {
      return evaluate(bindings);
    } catch (error) {
      throw new Error(`oidc: error evaluating ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const check = (list: typeof claimRules, what: string, bindings: Readonly<Record<string, unknown>>): void => {
    for (const rule of list) {
      const found = run(what, rule.program, bindings);
      if (typeof found !== 'boolean') throw new Error(`oidc: error evaluating ${what}: validation expression must return a boolean`);
      if (!found) throw new Error(`oidc: error evaluating ${what}: validation expression '${rule.expression}' failed: ${rule.message}`);
    }
  };
  /** Texts as they are; a text alone is a list of one, and an empty one, as nothing, is none. */
  const listed = (value: unknown, what: string): readonly string[] => {
    if (value === undefined || value === null || value === '') return [];
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return (value as string[]).filter((each) => each !== '');
    throw new Error(`oidc: error evaluating ${what}: expression must return a string or a list of strings`);
  };
  const claimOf = (claims: Claims, name: string): string => {
    const found = claims[name];
    if (typeof found !== 'string') throw new Error(`oidc: parse username claims ${JSON.stringify(name)}: claim not present`);
    if (name === 'email' && claims['email_verified'] === false) throw new Error('oidc: email not verified');
    return found;
  };
  return {
    checkClaims(claims) {
      for (const { claim, requiredValue } of claimValidationRules) {
        if (!claim) continue;
        if (claims[claim] === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
        if (claims[claim] !== (requiredValue ?? ''))
          throw new Error(`oidc: required claim ${claim} value does not match. Got = ${String(claims[claim])}, want = ${requiredValue ?? ''}`);
      }
      check(claimRules, 'claim validation expression', { claims });
    },
    username(claims) {
      if (!nameOf) return `${username.prefix ?? ''}${claimOf(claims, username.claim ?? '')}`;
      const found = run('username claim expression', nameOf, { claims });
      if (typeof found !== 'string') throw new Error('oidc: error evaluating username claim expression: username claim expression must return a string');
      if (found === '') throw new Error('oidc: empty username via CEL expression is not allowed');
      return found;
    },
    groups(claims) {
      if (groupsOf) return listed(run('group claim expression', groupsOf, { claims }), 'group claim expression');
      const said = groups?.claim ? claims[groups.claim] : undefined;
      const list = said === undefined ? [] : Array.isArray(said) ? said.map(String) : [String(said)];
      return list.map((group) => `${groups?.prefix ?? ''}${group}`);
    },
    uid(claims) {
      if (uidOf) {
        const found = run('uid claim expression', uidOf, { claims });
        if (typeof found !== 'string') throw new Error('oidc: error evaluating uid claim expression: uid claim expression must return a string');
        return found;
      }
      const found = uid?.claim ? claims[uid.claim] : undefined;
      return typeof found === 'string' ? found : undefined;
    },
    extra(claims) {
      const found: Record<string, readonly string[]> = {};
      for (const [key, maker] of extras) {
        const values = listed(run('extra claim expression', maker, { claims }), 'extra claim expression');
        if (values.length > 0) found[key] = values;
      }
      return found;
    },
    checkUser({ name, groups: list, uid: id, extra: more }) {
      check(userRules, 'user info validation rule', { user: { username: name, groups: [...list], uid: id ?? '', extra: more ?? {} } });
    },
  };
}
