/** Horizontal pod autoscalers, autoscaling/v2 and v1. */
import { canonicalQuantity } from '../../api/quantity.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1, HPAScalingRules, MetricSpec, MetricStatus } from '../../api/types.gen.ts';
import { goQuote } from '../gostring.ts';
import { aboutObject, eventsOf } from './events.ts';
import { type Describer, getOf } from './reader.ts';
import { longTime, type Sheet } from './sheet.ts';

const UNKNOWN = '<unknown>';
const quantity = (text: string | undefined): string => canonicalQuantity(text ?? '0');

export const describeAutoscaler: Describer<HorizontalPodAutoscaler> = async (sheet, autoscaler, context) => {
  const { metadata, spec, status } = autoscaler;
  writeHead(sheet, autoscaler);
  sheet.line(0, 'Metrics:', '( current / target )');
  (spec?.metrics ?? []).forEach((metric, i) => {
    writeMetric(sheet, metric, status?.currentMetrics?.[i]);
  });
  sheet.line(0, 'Min replicas:', String(spec?.minReplicas ?? '<unset>'));
  sheet.line(0, 'Max replicas:', String(spec?.maxReplicas ?? 0));
  if (spec?.behavior) {
    sheet.line(0, 'Behavior:');
    writeRules(sheet, 'Scale Up', spec.behavior.scaleUp);
    writeRules(sheet, 'Scale Down', spec.behavior.scaleDown);
  }
  sheet.line(0, `${spec?.scaleTargetRef.kind ?? ''} pods:`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  if (status?.conditions?.length) {
    sheet.line(0, 'Conditions:');
    sheet.head(1, 'Type', 'Status', 'Reason', 'Message');
    for (const c of status.conditions) sheet.line(1, c.type, c.status, c.reason ?? '', c.message ?? '');
  }
  await eventsOf(sheet, context, { ...aboutObject(autoscaler), name: metadata.name });
};

function writeHead(sheet: Sheet, { metadata, spec }: HorizontalPodAutoscaler | HorizontalPodAutoscalerV1): void {
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'CreationTimestamp:', longTime(metadata.creationTimestamp));
  sheet.line(0, 'Reference:', `${spec?.scaleTargetRef.kind ?? ''}/${spec?.scaleTargetRef.name ?? ''}`);
}

function writeMetric(sheet: Sheet, metric: MetricSpec, current: MetricStatus | undefined): void {
  const { external, pods, object } = metric;
  if (metric.type === 'External' && external) {
    const average = external.target.averageValue;
    const now = current?.external?.current;
    const title = `${goQuote(external.metric.name)} (target ${average === undefined ? '' : 'average '}value):`;
    const value = average === undefined ? now && quantity(now.value) : now?.averageValue && quantity(now.averageValue);
    sheet.line(1, title, `${value || UNKNOWN} / ${quantity(average ?? external.target.value)}`);
  } else if (metric.type === 'Pods' && pods) {
    const now = current?.pods ? quantity(current.pods.current.averageValue) : UNKNOWN;
    sheet.line(1, `${goQuote(pods.metric.name)} on pods:`, `${now} / ${quantity(pods.target.averageValue)}`);
  } else if (metric.type === 'Object' && object) {
    const average = object.target.type === 'AverageValue';
    const value = (target: { readonly averageValue?: string; readonly value?: string }): string => quantity(average ? target.averageValue : target.value);
    const title = `"${object.metric.name}" on ${object.describedObject.kind}/${object.describedObject.name} (target ${average ? 'average ' : ''}value):`;
    sheet.line(1, title, `${current?.object ? value(current.object.current) : UNKNOWN} / ${value(object.target)}`);
  } else if ((metric.type === 'Resource' && metric.resource) || (metric.type === 'ContainerResource' && metric.containerResource))
    writeResource(sheet, metric, current);
  else sheet.line(1, `<unknown metric type ${goQuote(metric.type)}>`);
}

function writeResource(sheet: Sheet, { resource, containerResource }: MetricSpec, current: MetricStatus | undefined): void {
  const target = (resource ?? containerResource)?.target;
  const now = (resource ? current?.resource : current?.containerResource)?.current;
  const title = resource ? `resource ${resource.name} on pods` : `resource ${containerResource?.name} of container "${containerResource?.container}" on pods`;
  if (target?.averageValue !== undefined) {
    sheet.line(1, `${title}:`, `${now ? quantity(now.averageValue) : UNKNOWN} / ${quantity(target.averageValue)}`);
    return;
  }
  const used = now?.averageUtilization === undefined ? UNKNOWN : `${now.averageUtilization}% (${quantity(now.averageValue)})`;
  const wanted = target?.averageUtilization === undefined ? '<auto>' : `${target.averageUtilization}%`;
  sheet.line(1, `${title}  (as a percentage of request):`, `${used} / ${wanted}`);
}

function writeRules(sheet: Sheet, direction: string, rules: HPAScalingRules | undefined): void {
  if (!rules) return;
  sheet.line(1, `${direction}:`);
  if (rules.stabilizationWindowSeconds !== undefined) sheet.line(2, `Stabilization Window: ${rules.stabilizationWindowSeconds} seconds`);
  if (!rules.policies?.length) return;
  sheet.line(2, `Select Policy: ${rules.selectPolicy ?? 'Max'}`);
  sheet.line(2, 'Policies:');
  for (const { type, value, periodSeconds } of rules.policies) sheet.line(3, `- Type: ${type}`, `Value: ${value}`, `Period: ${periodSeconds} seconds`);
}

export const describeAutoscalerV1: Describer<HorizontalPodAutoscalerV1> = async (sheet, autoscaler, context) => {
  // Shown as v2 by whoever serves that, whatever version was asked for.
  const whole = await getOf(context.read, 'HorizontalPodAutoscaler', autoscaler.metadata.namespace ?? '', autoscaler.metadata.name ?? '');
  if (whole) return describeAutoscaler(sheet, whole, context);
  const { spec, status } = autoscaler;
  writeHead(sheet, autoscaler);
  if (spec?.targetCPUUtilizationPercentage !== undefined) {
    sheet.line(0, 'Target CPU utilization:', `${spec.targetCPUUtilizationPercentage}%`);
    sheet.line(0, 'Current CPU utilization:', `${status?.currentCPUUtilizationPercentage ?? UNKNOWN}%`);
  }
  sheet.line(0, 'Min replicas:', String(spec?.minReplicas ?? '<unset>'));
  sheet.line(0, 'Max replicas:', String(spec?.maxReplicas ?? 0));
  sheet.line(0, `${spec?.scaleTargetRef.kind ?? ''} pods:`, `${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired`);
  await eventsOf(sheet, context, aboutObject(autoscaler));
};
