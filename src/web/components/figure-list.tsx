import { formatNumber } from '../format.ts';

/** A row of figures, each with its name and unit. */
export function FigureList({
  title,
  figures,
}: {
  readonly title: string;
  readonly figures: readonly {
    readonly name: string;
    readonly value: number | undefined;
    readonly digits: number;
    readonly unit: string;
  }[];
}) {
  return (
    <div class="mic-figures">
      <h3>{title}</h3>
      <dl>
        {figures.map(({ name, value, digits, unit }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {formatNumber(value, digits)} <span class="aside">{unit}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
