/** `intstr.GetScaledValueFromIntOrPercent`: `3` or `"25%"` of a total, rounded as asked; 0 for what is neither. */
export function scaledValue(value: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value);
  if (!percent) return 0;
  const hundredfold = Number(percent[1]) * total;
  return round === 'up' ? Math.ceil(hundredfold / 100) : Math.floor(hundredfold / 100);
}
