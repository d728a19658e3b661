/** A labelled list to choose one of. */
export function Choice<T extends string>({
  label,
  value,
  options,
  disabled = false,
  onChoose,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly text: string }[];
  readonly disabled?: boolean;
  readonly onChoose: (value: T) => void;
}) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select
        class="select"
        disabled={disabled}
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = options.find((option) => option.value === currentTarget.value);
          if (chosen !== undefined) onChoose(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}
