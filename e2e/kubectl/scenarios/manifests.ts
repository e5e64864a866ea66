/** Manifests that several scenarios begin with. */

export const deployment = (name: string, replicas = 2, image = 'nginx:1.27'): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
      - name: nginx
        image: ${image}
        ports:
        - containerPort: 80
        resources:
          requests:
            cpu: 50m
            memory: 32Mi
          limits:
            memory: 64Mi
        readinessProbe:
          httpGet:
            path: /
            port: 80
          periodSeconds: 5
`;

export const service = (name: string, app: string): string => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels:
    app: ${app}
spec:
  selector:
    app: ${app}
  ports:
  - name: http
    port: 80
    targetPort: 80
`;

export const configMap = (name: string, data: Readonly<Record<string, string>>): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
${Object.entries(data)
  .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
  .join('')}`;

/** A busybox that runs a line of shell. */
export const pod = (name: string, script: string, more = ''): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  terminationGracePeriodSeconds: 1
  restartPolicy: Never
  containers:
  - name: main
    image: busybox:1.36
    command: ["sh", "-c", ${JSON.stringify(script)}]
${more}`;
