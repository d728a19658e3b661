import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { videoText } from '../../../src/cli/video-text.ts';
import { videoStatus } from '../../fixtures/video-status.ts';

const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {} };

describe('the picture for people', () => {
  it('says what comes, how large it is and what it costs', () => {
    assert.equal(
      videoText(videoStatus(), io),
      `Picture   /dev/video0 (there is a picture)
Size      1280 × 720, 29.5 pictures a second, VP8
Encoding  1651 of 1800 kbps, 6.5 ms a picture, at most 11.3 ms, 9.8 ms from the capture
Pictures  7002 encoded, 7001 keyframes, 7003 dropped
`,
    );
  });

  it('says why there is none', () => {
    const text = videoText(
      videoStatus({
        signal: 'unsupported',
        reason: '4096x2160p60 is more than this capture takes',
        width: 0,
        framesPerSecond: 0,
      }),
      io,
    );
    assert.match(text, /a signal that cannot be taken: 4096x2160p60 is more than this capture/);
    assert.match(text, /Size {6}not known yet/);
    assert.match(text, /nothing is encoded at the moment/);
  });

  it('lets no control character of a device through', () => {
    const text = videoText(videoStatus({ signal: 'lost', reason: 'gone\u001b[2J' }), io);
    assert.ok(!text.includes('\u001b[2J'));
  });
});
