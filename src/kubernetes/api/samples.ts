/** Manifests to begin with: files in the laptop's `examples`, and what the editor offers. */
export const SAMPLES = {
  'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports:
        - containerPort: 80
        resources:
          requests:
            cpu: 100m
            memory: 64Mi
          limits:
            memory: 128Mi
        readinessProbe:
          httpGet:
            path: /
            port: 80
          periodSeconds: 5
`,
  'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - name: http
    port: 80
    targetPort: 80
`,
  'pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: toolbox
spec:
  containers:
  - name: shell
    image: busybox:1.36
    command: ["sh", "-c", "while true; do date; sleep 10; done"]
`,
  'configmap.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  GREETING: hello
---
apiVersion: v1
kind: Pod
metadata:
  name: greeter
spec:
  restartPolicy: Never
  containers:
  - name: greeter
    image: busybox:1.36
    command: ["sh", "-c", "echo $GREETING"]
    envFrom:
    - configMapRef:
        name: settings
`,
  'crashing.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: crashing
spec:
  containers:
  - name: app
    image: busybox:1.36
    command: ["sh", "-c", "echo starting; sleep 5; exit 1"]
`,
} as const;
