import { useState } from 'preact/hooks';
import type { PowerStatus, Press, PressAnswer } from '../../../control/power/power-status.ts';
import { boardWords, diskWords, ledWords, pressWords } from '../power-words.ts';
import { Dialog } from './dialog.tsx';

export interface PowerActions {
  /** Undefined: it failed, and the card's error says why. */
  readonly press: (press: Press) => Promise<PressAnswer | undefined>;
  /** True: the packets were sent. */
  readonly wake: (name: string) => Promise<boolean>;
}

/** What is asked before a press that may cost data. */
const questions = {
  long: {
    title: 'Hold the power button?',
    text: 'The host is forced off without shutting down. What was not saved is lost.',
    button: 'Force off',
  },
  reset: {
    title: 'Press the reset button?',
    text: 'The host starts anew at once. What was not saved is lost.',
    button: 'Reset',
  },
} as const;

/** The host's power: its LEDs and its buttons, and machines to wake. */
export function PowerCard({
  power,
  error,
  actions,
}: {
  readonly power: PowerStatus;
  readonly error: string;
  readonly actions: PowerActions;
}) {
  const [question, setQuestion] = useState<keyof typeof questions>();
  const [said, setSaid] = useState('');
  const isBusy = power.press !== null;
  const canPress = power.state === 'ready' && power.powerButton && !isBusy;
  const press = async (kind: Press): Promise<void> => {
    setQuestion(undefined);
    setSaid('');
    const answer = await actions.press(kind);
    if (answer !== undefined) setSaid(pressWords(answer));
  };
  const wake = async (name: string): Promise<void> => {
    setSaid('');
    if (await actions.wake(name))
      setSaid(`Wake-on-LAN was sent to ${name}. No answer comes to it.`);
  };
  const words = boardWords(power);
  return (
    <section class="card power" aria-labelledby="power-title">
      <div class="host-head">
        <h2 id="power-title">Power</h2>
        {power.kind !== 'none' && <Lights power={power} />}
      </div>
      {power.kind !== 'none' && (
        <div class="host-row">
          <button
            type="button"
            class="button button-main"
            disabled={!canPress}
            onClick={() => void press('short')}
          >
            Press power
          </button>
          <button
            type="button"
            class="button"
            disabled={!canPress}
            onClick={() => setQuestion('long')}
          >
            Hold power…
          </button>
          <button
            type="button"
            class="button"
            disabled={power.state !== 'ready' || !power.resetButton || isBusy}
            onClick={() => setQuestion('reset')}
          >
            Reset…
          </button>
        </div>
      )}
      {power.wake.length > 0 && (
        <div class="host-row">
          {power.wake.map(({ name, mac }) => (
            <button
              key={name}
              type="button"
              class="button"
              title={mac}
              onClick={() => void wake(name)}
            >
              Wake {name}
            </button>
          ))}
        </div>
      )}
      <p class="note" role="status">
        {[words, said].filter((part) => part !== '').join(' ')}
      </p>
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {question !== undefined && (
        <Dialog title={questions[question].title} onClose={() => setQuestion(undefined)}>
          <p>{questions[question].text}</p>
          <div class="dialog-buttons">
            <button type="button" class="button button-bad" onClick={() => void press(question)}>
              {questions[question].button}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Lights({ power }: { readonly power: PowerStatus }) {
  const { powerLed, diskBusy } = power;
  return (
    <ul class="leds" aria-label="Lights of the host">
      <li class={powerLed === 'on' ? 'led led-on' : 'led'}>Power {ledWords[powerLed]}</li>
      {diskBusy !== null && (
        <li class={diskBusy > 0 ? 'led led-on' : 'led'}>Disk {diskWords(diskBusy)}</li>
      )}
    </ul>
  );
}
