/** `$((…))`: C's integer expressions, after POSIX XCU 2.6.4. Here simplified: 53 bits instead of 64. */

export interface Variables {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}
export class ArithmeticError extends Error {}

const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const TOKEN = /\s*(0[xX][0-9a-fA-F]+|\d+#\w+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|&&|\|\||<<|>>|[=!<>+\-*/%&|^]=|[-+*/%<>=!~&|^?:(),])/y;

export function evaluateArithmetic(expression: string, variables: Variables): number {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const at = TOKEN.lastIndex;
    const m = TOKEN.exec(expression);
    if (!m) {
      if (expression.slice(at).trim() === '') break;
      throw new ArithmeticError(`${expression.trim()}: syntax error: operand expected (error token is "${expression.slice(at).trim()}")`);
    }
    tokens.push(m[1]!);
  }
  if (tokens.length === 0) return 0;
  let at = 0;
  const fail = (): never => {
    throw new ArithmeticError(`${expression.trim()}: syntax error in expression (error token is "${tokens.slice(at).join(' ')}")`);
  };
  const variableValue = (name: string, depth = 0): number => {
    const text = (variables.get(name) ?? '').trim();
    if (text === '') return 0;
    const number = literal(text);
    if (number !== undefined) return number;
    if (depth > 32) throw new ArithmeticError(`${name}: expression recursion level exceeded`);
    return evaluateArithmetic(text, variables);
  };
  const comma = (): number => {
    let value = assignment();
    while (tokens[at] === ',') {
      at++;
      value = assignment();
    }
    return value;
  };
  const assignment = (): number => {
    const name = tokens[at];
    const operator = tokens[at + 1];
    if (name && /^[A-Za-z_]/.test(name) && operator && /^([-+*/%&|^]|<<|>>)?=$/.test(operator)) {
      at += 2;
      const right = assignment();
      const value = operator === '=' ? right : apply(operator.slice(0, -1), variableValue(name), right);
      variables.set(name, String(value));
      return value;
    }
    return ternary();
  };
  const ternary = (): number => {
    const condition = binary(0);
    if (tokens[at] !== '?') return condition;
    at++;
    const yes = assignment();
    if (tokens[at++] !== ':') fail();
    const no = assignment();
    return condition !== 0 ? yes : no;
  };
  const binary = (level: number): number => {
    if (level === BINARY.length) return power();
    let left = binary(level + 1);
    for (let operator = tokens[at]; operator !== undefined && BINARY[level]!.includes(operator); operator = tokens[at]) {
      at++;
      left = apply(operator, left, binary(level + 1));
    }
    return left;
  };
  const power = (): number => {
    const base = unary();
    if (tokens[at] !== '**') return base;
    at++;
    const exponent = power();
    let value = 1;
    for (let i = 0; i < exponent && Math.abs(value) < 2 ** 53; i++) value *= base;
    return value;
  };
  const unary = (): number => {
    const token = tokens[at++];
    if (token === undefined) {
      at--;
      throw new ArithmeticError(`${expression.trim()}: syntax error: operand expected (error token is "${tokens.at(-1) ?? ''}")`);
    }
    if (token === '-') return -unary();
    if (token === '+') return unary();
    if (token === '!') return unary() === 0 ? 1 : 0;
    if (token === '~') return ~unary();
    if (token === '++' || token === '--') {
      const name = tokens[at++] ?? fail();
      const value = variableValue(name) + (token === '++' ? 1 : -1);
      variables.set(name, String(value));
      return value;
    }
    if (token === '(') {
      const value = comma();
      if (tokens[at++] !== ')') fail();
      return value;
    }
    if (/^[A-Za-z_]/.test(token)) {
      const value = variableValue(token);
      const after = tokens[at];
      if (after === '++' || after === '--') {
        at++;
        variables.set(token, String(value + (after === '++' ? 1 : -1)));
      }
      return value;
    }
    const number = literal(token);
    if (number === undefined) {
      at--;
      return fail();
    }
    return number;
  };
  const value = comma();
  if (at < tokens.length) fail();
  return value;
}

function literal(text: string): number | undefined {
  const m = /^(-?)(?:0[xX]([0-9a-fA-F]+)|(\d+)#(\w+)|(0[0-7]*)|([1-9]\d*))$/.exec(text);
  if (!m) return undefined;
  const value =
    m[2] !== undefined
      ? Number.parseInt(m[2], 16)
      : m[3] !== undefined
        ? Number.parseInt(m[4]!, Number(m[3]))
        : m[5] !== undefined
          ? Number.parseInt(m[5], 8)
          : Number.parseInt(m[6]!, 10);
  return m[1] === '-' ? -value : value;
}

function apply(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
    case '%':
      if (b === 0) throw new ArithmeticError('division by 0');
      return operator === '/' ? Math.trunc(a / b) : a % b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '<':
      return Number(a < b);
    case '>':
      return Number(a > b);
    case '<=':
      return Number(a <= b);
    case '>=':
      return Number(a >= b);
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&&':
      return Number(a !== 0 && b !== 0);
    default:
      return Number(a !== 0 || b !== 0);
  }
}
