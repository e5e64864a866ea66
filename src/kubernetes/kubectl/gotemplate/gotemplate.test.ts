import { expect, test } from 'vitest';
import { parseGoTemplate } from './gotemplate.ts';

const DATA = { name: 'web', size: 3, share: 0.5, list: [{ n: 'a' }, { n: 'b' }], map: { x: '1', y: '2' }, nothing: null };
const fill = (template: string): string => parseGoTemplate(template).execute(DATA);

test.each([
  ['{{.name}} {{.size}} {{.share}}', 'web 3 0.5'],
  ['{{.missing}} {{.missing.deeper}} {{.nothing}}', '<no value> <no value> <no value>'],
  ['{{range $i, $e := .list}}{{$i}}{{$e.n}} {{end}}', '0a 1b '],
  ['{{range $k, $v := .map}}{{$k}}={{$v}};{{end}}', 'x=1;y=2;'],
  ['{{range .none}}x{{else}}none{{end}}', 'none'],
  ['{{with .map}}{{.x}}{{end}}{{if and .name (eq .size 3)}}yes{{else}}no{{end}}', '1yes'],
  ['{{define "t"}}<{{.}}>{{end}}{{template "t" .name}}', '<web>'],
  ['a {{- " b " -}} c', 'a b c'],
  ['{{printf "%s-%d-%.1f-%q" .name .size .share .name}}', 'web-3-0.5-"web"'],
  ['{{index .list 1 "n"}} {{len .list}} {{slice .name 1 3}}', 'b 2 eb'],
  ['{{"aGk=" | base64decode}} {{exists .map "x"}} {{exists .map "z"}}', 'hi true false'],
  ['{{1000000.0}} {{1.5}} {{0x10}}', '1e+06 1.5 16'],
  ['{{.map}} {{.list}}', 'map[x:1 y:2] [map[n:a] map[n:b]]'],
])('%s', (template, expected) => expect(fill(template)).toBe(expected));

test.each([
  ['{{.name', 'template: output:1: unclosed action'],
  ['{{nope}}', 'template: output:1: function "nope" not defined'],
  ['{{if .a}}', 'template: output:1: unexpected EOF'],
  ['{{end}}', 'template: output:1: unexpected {{end}}'],
  ['\n{{$x}}', 'template: output:2: undefined variable "$x"'],
])('cannot be read: %s', (template, message) => expect(() => parseGoTemplate(template)).toThrow(message));

test.each([
  ['{{.name.x}}', `template: output:1:7: executing "output" at <.name.x>: can't evaluate field x in type interface {}`],
  ['{{len .size}}', 'template: output:1:2: executing "output" at <len .size>: error calling len: len of type int64'],
  ['{{index .list 5}}', 'template: output:1:2: executing "output" at <index .list 5>: error calling index: index out of range: 5'],
  ['{{lt .name 1}}', 'template: output:1:2: executing "output" at <lt .name 1>: error calling lt: incompatible types for comparison'],
])('cannot be filled: %s', (template, message) => expect(() => fill(template)).toThrow(message));
