import { type Scenario, wait } from '../scenario.ts';

/** Go templates, as `-o go-template` reads them. */
export const templates: readonly Scenario[] = [
  {
    name: 'objects for templates',
    steps: [
      'kubectl run tp --image=busybox:1.36 --restart=Never -- sleep 1000 > /dev/null',
      'kubectl create cm tt --from-literal=a=1 --from-literal=b=two > /dev/null',
      'kubectl create deploy td --image=nginx:1.27 --replicas=0 > /dev/null',
      wait(20),
    ],
  },
  {
    name: 'go templates: fields and functions',
    steps: [
      "kubectl get cm tt -o go-template='{{.metadata.name}}'",
      'kubectl get cm tt -o go-template=\'{{range $k, $v := .data}}{{$k}}={{$v}}{{"\\n"}}{{end}}\'',
      "kubectl get cm tt -o template --template='{{.data.a}} {{.data.nope}} {{.nope.x}}'",
      'kubectl get cm tt -o go-template=\'{{len .data}} {{printf "%s-%d-%v-%q" .data.a 5 .data .data.b}}\'',
      'kubectl get deploy td -o go-template=\'{{.spec.replicas}} {{.spec.progressDeadlineSeconds}} {{printf "%d %.1f %v %5.2f|%-6s|%06.2f" .spec.progressDeadlineSeconds .spec.progressDeadlineSeconds 1000000.0 3.14159 "ab" 2.5}}\'',
      "kubectl get deploy td -o go-template='{{if eq .spec.replicas 0}}x{{end}}'",
      'kubectl get deploy td -o go-template=\'{{if eq .metadata.name "td" "x"}}yes{{else}}no{{end}} {{and 1 0 2}} {{or 0 "" "z"}} {{not true}}\'',
      "kubectl get deploy td -o go-template='{{.metadata.name.x}}'",
    ],
  },
  {
    name: 'go templates: mistakes and structure',
    steps: [
      "kubectl get deploy td -o go-template='{{.metadata.name'",
      "kubectl get deploy td -o go-template='{{nosuch .}}'",
      "kubectl get deploy td -o go-template='{{if .a}}'",
      "kubectl get deploy td -o go-template='{{end}}'",
      'kubectl get deploy td -o go-template=\'{{index .spec.template.spec.containers 0 "image"}} {{(index .spec.template.spec.containers 0).name}}\'',
      "kubectl get deploy td -o go-template='{{index .spec.template.spec.containers 7}}'",
      "kubectl get deploy td -o go-template='{{with .spec.template}}{{.metadata.labels.app}}{{end}}{{with .nope}}x{{else}}none{{end}}'",
      'kubectl get deploy td -o go-template=\'{{define "T"}}<{{.}}>{{end}}{{template "T" .metadata.name}}{{block "B" .kind}}[{{.}}]{{end}}\'',
    ],
  },
  {
    name: 'go templates: trimming, functions of kubectl',
    steps: [
      'kubectl get deploy td -o go-template=\'{{- /* c */ -}}   a {{- " b " -}} c\'',
      "kubectl get deploy td -o go-template='{{$x := 1}}{{range .spec.template.spec.containers}}{{$x = .name}}{{end}}{{$x}}'",
      "kubectl get deploy td -o go-template='{{.missing}}' --allow-missing-template-keys=false",
      'kubectl get deploy td -o go-template=\'{{"aGVsbG8=" | base64decode}} {{exists .metadata "name"}} {{exists .metadata "nope"}} {{len "héllo"}} {{slice "hello" 1 3}} {{html "<a>"}} {{js "it\'"\'"\'s"}} {{urlquery "a b&c"}}\'',
      'kubectl get deploy td -o go-template=\'{{base64decode "!"}}\'',
      "kubectl get deploy td -o go-template='{{len .missing}}'",
      "kubectl get deploy td -o go-template='{{len .spec.replicas}}'",
      "kubectl get deploy td -o go-template='{{range .metadata.name}}{{.}}{{end}}'",
    ],
  },
  {
    name: 'go templates: comparing and printing',
    steps: [
      "kubectl get deploy td -o go-template='{{range $i, $c := .spec.template.spec.containers}}{{$i}}{{$c.name}}{{break}}{{end}}'",
      'kubectl get deploy td -o go-template=\'{{lt 1 2}} {{gt 1.5 2.5}} {{le "a" "b"}} {{ge 2 2}} {{ne 1 2}} {{println "a" 1}}{{print 1 2 "a" "b" 3 4}}\'',
      'kubectl get deploy td -o go-template=\'{{lt 1 "a"}}\'',
      'kubectl get deploy td -o go-template=\'{{printf "%s"}} {{printf "%d" "x"}} {{printf "a" 1 2}} {{printf "%T %T %T" 1 .metadata .spec.replicas}} {{printf "%#v" .spec.template.metadata}} {{printf "%x %X %o %c %U %b" 255 255 8 65 65 5}}\'',
      "kubectl get deploy td -o go-template='{{.spec.template.spec}}'",
      'kubectl get deploy td -o go-template',
      'kubectl get deploy td -o go-template=',
      'kubectl get deploy td -o go-template-file=nope.tmpl',
    ],
  },
  {
    name: 'go templates: files and lists',
    steps: [
      "echo '{{.kind}}' > k.tmpl; kubectl get deploy td -o go-template-file=k.tmpl; kubectl get deploy td -o go-template-file --template k.tmpl;  kubectl get deploy td -o templatefile=k.tmpl; kubectl get deploy td -o template='{{.kind}}'",
      'kubectl get deploy td -o go-template=\'{{hexdump "a"}}\'',
      "kubectl get deploy td --template='{{.kind}}'",
      'kubectl get deploy,cm -o go-template=\'{{range .items}}{{.kind}} {{.metadata.name}}{{"\\n"}}{{end}}\'',
      "kubectl get deploy td cm -o go-template='{{.kind}}'",
      "kubectl create cm x1 --from-literal=a=b --dry-run=client -o go-template='{{.data.a}}'",
      "kubectl get deploy td -o go-template='{{1 | 2}}'",
      "kubectl get deploy td -o go-template='{{.a | len}}'",
    ],
  },
  {
    name: 'go templates: what is no template',
    steps: [
      'kubectl get deploy td -o go-template=\'{{.metadata.name | printf "%s:%s" "x"}}\'',
      "kubectl get deploy td -o go-template='{{\"abc}}'",
      "kubectl get deploy td -o go-template='{{$x}}'",
      'kubectl get deploy td -o go-template=\'{{template "zz"}}\'',
      "kubectl get deploy td -o go-template='{{else}}'",
      "kubectl get deploy td -o go-template='{{ }}'",
      "kubectl get deploy td -o go-template='{{range}}{{end}}'",
      "kubectl get deploy td -o go-template='{{(1).x}}'",
    ],
  },
  {
    name: 'go templates: arguments and indexes',
    steps: [
      "kubectl get deploy td -o go-template='{{len 3}} {{len}}'",
      "kubectl get deploy td -o go-template='{{len 1 2}}'",
      "kubectl get deploy td -o go-template='a{{.spec.replicas.x.y}}'",
      'kubectl get deploy td -o go-template=\'{{index .metadata.labels "app"}} {{index .metadata.labels "zz"}} {{index .nope "x"}}\'',
      "kubectl get deploy td -o go-template='{{range 3}}{{.}}{{end}}{{range $i := 2}}{{$i}}{{else}}n{{end}}'",
      'kubectl get deploy td -o go-template=\'{{if and (eq .kind "Deployment") (gt .spec.progressDeadlineSeconds 5.0)}}big{{else if true}}b{{end}}\'',
      "kubectl get deploy td -o go-template='{{if gt .spec.progressDeadlineSeconds 5}}big{{end}}'",
      "kubectl get pods -w -o go-template='{{.metadata.name}}' --request-timeout=1s",
    ],
  },
];
