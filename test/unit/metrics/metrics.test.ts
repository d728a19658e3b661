import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricTable } from '../../../src/metrics/metric-table.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { fastLane, inputStats, sampleSources, session } from '../../fixtures/metric-sources.ts';

/** Every sample of an exposition: name with labels → value. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('the metric table', () => {
  it('names every metric once', () => {
    assert.equal(new Set(metricTable.map(({ name }) => name)).size, metricTable.length);
  });

  for (const { name, type, unit, help } of metricTable) {
    it(`names ${name} as Prometheus asks`, () => {
      assert.match(name, /^earshot_[a-z][a-z0-9_]*[a-z0-9]$/);
      assert.equal(name.endsWith('_total'), type === 'counter');
      if (unit !== '1') assert.match(name, new RegExp(`_${unit}(_total)?$`));
      assert.match(help, /^\S.*\.$/);
    });
  }
});

describe('createMetrics', () => {
  it('exports every metric with help, type and its labels', async () => {
    const text = await createMetrics({ sources: sampleSources() }).text();
    for (const { name, type, help, labels } of metricTable) {
      assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
      const own = type === 'histogram' ? `${name}_count` : name;
      const sample = [...samples(text).keys()].find((key) => key.replace(/\{.*/, '') === own);
      assert.ok(sample !== undefined, `no sample of ${name}`);
      const given = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label);
      assert.deepEqual(given, labels);
    }
  });

  it('takes each number from its own source, in base units', async () => {
    const now = samples(await createMetrics({ sources: sampleSources() }).text());
    const expected: Record<string, number> = {
      'earshot_child_state{child="audio-output",state="running"}': 1,
      'earshot_child_state{child="audio-output",state="failed"}': 0,
      'earshot_child_restarts_total{child="audio-output"}': 2,
      'earshot_child_cpu_ratio{child="audio-output"}': 0.035,
      'earshot_child_resident_memory_bytes{child="audio-output"}': 44_000_000,
      earshot_audio_output_muted: 1,
      earshot_audio_output_device_open: 1,
      earshot_audio_output_device_rate_hertz: 44_100,
      earshot_audio_output_device_channels: 2,
      earshot_audio_output_captured_samples_total: 1_001,
      earshot_audio_output_encoded_frames_total: 1_002,
      earshot_audio_output_encoded_bytes_total: 1_003,
      earshot_audio_output_dropped_frames_total: 1_004,
      earshot_audio_output_xruns_total: 1_005,
      earshot_audio_output_suspends_total: 1_006,
      earshot_audio_output_reopens_total: 1_007,
      earshot_audio_output_lost_seconds_total: 0.5,
      earshot_audio_output_encode_mean_seconds: 0.00009,
      earshot_audio_output_encode_max_seconds: 0.00025,
      earshot_audio_output_latency_mean_seconds: 0.0125,
      earshot_audio_output_latency_p95_seconds: 0.015,
      earshot_audio_output_last_frame_time_seconds: 1_700_000_001.5,
      earshot_audio_output_peak_decibels: -3.5,
      earshot_audio_output_rms_decibels: -18.25,
      earshot_audio_output_realtime: 1,
      earshot_microphone_held: 1,
      earshot_microphone_connected: 1,
      earshot_microphone_live: 1,
      earshot_microphone_muted: 0,
      earshot_microphone_connection_drops_total: 6_001,
      earshot_microphone_last_frame_time_seconds: 1_700_000_000.5,
      'earshot_audio_input_device_state{state="open"}': 1,
      'earshot_audio_input_device_state{state="closed"}': 0,
      earshot_audio_input_device_rate_hertz: 44_100,
      earshot_audio_input_device_channels: 1,
      earshot_audio_input_xruns_total: 5_008,
      earshot_audio_input_suspends_total: 5_009,
      earshot_audio_input_reopens_total: 5_010,
      earshot_audio_input_peak_decibels: -4.5,
      earshot_audio_input_rms_decibels: -19.75,
      earshot_audio_input_realtime: 1,
      earshot_audio_input_received_frames_total: 5_001,
      earshot_audio_input_received_bytes_total: 5_002,
      earshot_audio_input_decoded_frames_total: 5_007,
      earshot_audio_input_late_frames_total: 5_003,
      earshot_audio_input_duplicate_frames_total: 5_004,
      earshot_audio_input_malformed_frames_total: 5_005,
      earshot_audio_input_dropped_frames_total: 5_006,
      earshot_audio_input_fec_seconds_total: 1,
      earshot_audio_input_plc_seconds_total: 2,
      earshot_audio_input_dtx_seconds_total: 3,
      earshot_audio_input_shortened_seconds_total: 4,
      earshot_audio_input_lengthened_seconds_total: 5,
      earshot_audio_input_played_seconds_total: 100,
      earshot_audio_input_starvations_total: 5_011,
      earshot_audio_input_stream_resets_total: 5_012,
      earshot_audio_input_jitter_seconds: 0.0075,
      earshot_audio_input_jitter_buffer_target_seconds: 0.03,
      earshot_audio_input_jitter_buffer_level_seconds: 0.0325,
      earshot_audio_input_latency_mean_seconds: 0.0415,
      earshot_audio_input_latency_p95_seconds: 0.048,
      earshot_audio_input_drift_ratio: -0.0001235,
      earshot_audio_input_decode_mean_seconds: 0.00006,
      earshot_audio_input_decode_max_seconds: 0.00035,
      earshot_audio_input_last_frame_age_seconds: 0.02,
      'earshot_media_sessions{state="connected"}': 2,
      'earshot_media_sessions{state="failed"}': 0,
      earshot_media_sessions_total: 2_001,
      earshot_media_frames_published_total: 2_002,
      earshot_video_signal: 1,
      earshot_video_width: 1_280,
      earshot_video_height: 720,
      earshot_video_frames_per_second: 29.5,
      earshot_video_target_bits_per_second: 1_800_000,
      earshot_video_bits_per_second: 1_650_500,
      earshot_video_frames_encoded_total: 7_002,
      earshot_video_keyframes_total: 7_001,
      earshot_video_frames_dropped_total: 7_003,
      earshot_video_encode_mean_seconds: 0.0065,
      earshot_video_encode_max_seconds: 0.01125,
      earshot_video_capture_to_encoded_seconds: 0.00975,
      earshot_video_reopens_total: 7_007,
      earshot_video_viewers: 8_001,
      earshot_video_frames_sent_total: 8_005,
      earshot_video_sending_dropped_total: 8_007,
      earshot_video_rtp_packets_sent_total: 8_008,
      earshot_video_rtp_sent_bytes_total: 8_009,
      earshot_video_rtp_packets_retransmitted_total: 8_010,
      earshot_video_rtp_packets_padding_total: 8_011,
      earshot_video_keyframes_wanted_total: 8_012,
      earshot_video_keyframes_requested_total: 8_013,
      earshot_serial_open: 1,
      earshot_serial_received_bytes_total: 9_001,
      earshot_serial_sent_bytes_total: 9_002,
      earshot_serial_refused_bytes_total: 9_007,
      earshot_serial_missed_bytes_total: 9_008,
      earshot_serial_reopens_total: 9_009,
      earshot_serial_breaks_total: 9_010,
      earshot_serial_consoles: 9_003,
      earshot_serial_writer: 1,
      earshot_power_ready: 1,
      earshot_power_led: 1,
      earshot_power_disk_busy_ratio: 0.25,
      'earshot_power_presses_total{result="confirmed"}': 10_001,
      'earshot_power_presses_total{result="unconfirmed"}': 10_002,
      'earshot_power_presses_total{result="unknown"}': 10_003,
      'earshot_power_presses_total{result="failed"}': 10_004,
      earshot_power_wakes_total: 10_005,
      earshot_power_garbled_lines_total: 10_006,
      earshot_media_frames_dropped_total: 2_003,
      earshot_media_rtp_packets_sent_total: 2_004,
      earshot_media_rtp_sent_bytes_total: 2_005,
      earshot_media_rtp_packets_retransmitted_total: 2_006,
      earshot_media_datagrams_refused_total: 2_007,
      earshot_media_tcp_connections_accepted_total: 2_030,
      'earshot_media_tcp_connections_closed_total{reason="refused"}': 2_031,
      'earshot_media_tcp_connections_closed_total{reason="stranger"}': 2_032,
      'earshot_media_tcp_connections_closed_total{reason="malformed"}': 2_033,
      'earshot_media_tcp_connections_closed_total{reason="idle"}': 2_034,
      earshot_media_tcp_datagrams_dropped_total: 2_035,
      earshot_media_connections_failed_total: 2_020,
      earshot_media_microphone_packets_total: 2_010,
      earshot_media_microphone_received_bytes_total: 2_011,
      earshot_media_microphone_packets_lost: 2_012,
      'earshot_media_microphone_frames_dropped_total{reason="floor"}': 2_013,
      'earshot_media_microphone_frames_dropped_total{reason="payload-type"}': 2_016,
      earshot_media_microphone_worst_jitter_seconds: 0.0045,
      earshot_media_gaps_skipped_total: 2_009,
      earshot_media_worst_round_trip_seconds: 0.012,
      earshot_media_worst_loss_ratio: 0.25,
      'earshot_fast_lane_sessions{via="channel"}': 1,
      'earshot_fast_lane_sessions{via="websocket"}': 0,
      earshot_fast_lane_sounding: 1,
      earshot_fast_lane_redundancy: 1,
      earshot_fast_lane_packets_sent_total: 7_001,
      earshot_fast_lane_sent_bytes_total: 7_002,
      earshot_fast_lane_redundant_packets_sent_total: 7_003,
      earshot_fast_lane_redundant_sent_bytes_total: 7_004,
      'earshot_fast_lane_messages_dropped_total{reason="queue"}': 7_005,
      'earshot_fast_lane_messages_dropped_total{reason="malformed"}': 7_006,
      'earshot_fast_lane_messages_dropped_total{reason="rate"}': 7_007,
      earshot_fast_lane_packets_received_total: 7_008,
      earshot_fast_lane_packets_lost_total: 7_009,
      earshot_fast_lane_packets_recovered_total: 7_010,
      earshot_fast_lane_packets_late_total: 7_011,
      earshot_fast_lane_packets_malformed_total: 7_012,
      earshot_fast_lane_concealed_seconds_total: 7_013,
      earshot_fast_lane_underrun_seconds_total: 7_014,
      earshot_fast_lane_worst_delay_seconds: 0.0465,
      earshot_fast_lane_worst_target_seconds: 0.0075,
      earshot_fast_lane_worst_jitter_seconds: 0.00125,
      'earshot_hid_host_state{state="none"}': 0,
      'earshot_hid_host_state{state="attached"}': 1,
      earshot_hid_viewers: 1,
      earshot_hid_held_keys: 2,
      earshot_hid_held_buttons: 1,
      earshot_hid_jiggler: 0,
      earshot_hid_typing: 0,
      'earshot_hid_events_total{kind="key"}': 11,
      'earshot_hid_events_total{kind="pointer"}': 12,
      'earshot_hid_reports_total{result="taken"}': 13,
      'earshot_hid_reports_total{result="failed"}': 14,
      'earshot_hid_events_dropped_total{reason="malformed"}': 15,
      'earshot_hid_events_dropped_total{reason="stale"}': 16,
      'earshot_hid_events_dropped_total{reason="key"}': 17,
      earshot_hid_dead_man_total: 18,
      earshot_hid_overflows_total: 19,
      earshot_hid_answers_unsent_total: 20,
      'earshot_hid_latency_seconds_bucket{kind="keys",le="0.004"}': 31,
      'earshot_hid_latency_seconds_bucket{kind="keys",le="0.01"}': 32,
      'earshot_hid_latency_seconds_bucket{kind="keys",le="+Inf"}': 33,
      'earshot_hid_latency_seconds_sum{kind="keys"}': 0.25,
      'earshot_hid_latency_seconds_count{kind="keys"}': 33,
      'earshot_hid_latency_seconds_bucket{kind="pointer",le="0.004"}': 41,
      'earshot_hid_latency_seconds_bucket{kind="pointer",le="0.01"}': 42,
      'earshot_hid_latency_seconds_bucket{kind="pointer",le="+Inf"}': 43,
      'earshot_hid_latency_seconds_sum{kind="pointer"}': 0.5,
      'earshot_hid_latency_seconds_count{kind="pointer"}': 43,
      'earshot_hid_messages_received_total{way="keys"}': 7_021,
      'earshot_hid_messages_received_total{way="pointer"}': 7_022,
      'earshot_hid_messages_received_total{way="socket"}': 7_023,
      'earshot_hid_messages_dropped_total{way="pointer",reason="rate"}': 7_027,
      'earshot_hid_messages_dropped_total{way="socket",reason="size"}': 7_031,
      earshot_hid_messages_sent_total: 7_033,
      earshot_hid_messages_unsent_total: 7_034,
      earshot_hid_channel_overflows_total: 7_035,
      'earshot_ipc_frames_sent_total{child="audio-output"}': 3_001,
      'earshot_ipc_sent_bytes_total{child="audio-output"}': 3_002,
      'earshot_ipc_frames_received_total{child="audio-output"}': 3_003,
      'earshot_ipc_received_bytes_total{child="audio-output"}': 3_004,
      'earshot_ipc_media_dropped_total{child="audio-output"}': 15,
      'earshot_ipc_media_stale_total{child="audio-output"}': 3_005,
      'earshot_ipc_sequence_gaps_total{child="audio-output"}': 3_006,
      'earshot_ipc_invalid_messages_total{child="audio-output"}': 3_007,
      'earshot_ipc_request_timeouts_total{child="audio-output"}': 3_008,
      'earshot_api_requests_total{method="GET",route="/api/v1/status",status="200"}': 4_001,
      earshot_api_streams: 4_002,
      earshot_api_streams_total: 4_003,
      earshot_api_streams_dropped_total: 4_004,
      earshot_api_websockets: 4_005,
      earshot_api_websockets_total: 4_006,
      earshot_api_websockets_dropped_total: 4_007,
      earshot_api_tls_handshakes_failed_total: 4_008,
      [`earshot_build_info{version="1.2.3",node="${process.version}"}`]: 1,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(now.get(name), value, name);
    const rest = [...now.keys()].filter(
      (key) => !(key in expected) && !/_state\{|sessions\{|dropped_total\{(reason|way)/.test(key),
    );
    assert.ok(
      rest.every((key) => key.startsWith('earshot_process_')),
      rest.join(),
    );
  });

  it('says that the numbers of a distribution are a histogram', async () => {
    const text = await createMetrics({ sources: sampleSources() }).text();
    assert.match(text, /^# TYPE earshot_hid_latency_seconds histogram$/m);
  });

  it('leaves out the host’s keyboard and mouse on a device without', async () => {
    const sources = sampleSources({ hid: () => undefined });
    const names = [...samples(await createMetrics({ sources }).text()).keys()];
    const left = names.filter((name) => /^earshot_hid_(?!messages|channel)/.test(name));
    assert.deepEqual(left, []);
  });

  it('sets counters at each scrape instead of adding up', async () => {
    const metrics = createMetrics({ sources: sampleSources() });
    const first = samples(await metrics.text());
    const second = samples(await metrics.text());
    const name = 'earshot_audio_output_encoded_frames_total';
    assert.equal(second.get(name), first.get(name));
  });

  it('leaves out what is not known, also when it was known before', async () => {
    let running = true;
    const { audioOutput } = sampleSources();
    const metrics = createMetrics({
      sources: sampleSources({ audioOutput: () => (running ? audioOutput() : undefined) }),
    });
    assert.ok(samples(await metrics.text()).has('earshot_audio_output_xruns_total'));
    running = false;
    const names = [...samples(await metrics.text()).keys()];
    assert.deepEqual(
      names.filter((name) => name.startsWith('earshot_audio_output')),
      [
        'earshot_audio_output_muted',
        'earshot_audio_output_latency_mean_seconds',
        'earshot_audio_output_latency_p95_seconds',
        'earshot_audio_output_last_frame_time_seconds',
      ],
    );
  });

  it('leaves out the microphone’s process while it does not run', async () => {
    const sources = sampleSources({ audioInput: () => undefined });
    const names = [...samples(await createMetrics({ sources }).text()).keys()];
    assert.deepEqual(
      names.filter((name) => name.startsWith('earshot_audio_input')),
      [],
    );
  });

  it('knows no time of a frame before the first', async () => {
    const { status, metrics } = sampleSources().microphone();
    const sources = sampleSources({
      audioInput: () => inputStats({ lastFrameAgeMs: -1 }),
      microphone: () => ({ status, metrics: { ...metrics, lastFrameUnixMs: 0 } }),
    });
    const now = samples(await createMetrics({ sources }).text());
    assert.equal(now.has('earshot_audio_input_last_frame_age_seconds'), false);
    assert.equal(now.has('earshot_microphone_last_frame_time_seconds'), false);
  });

  it('says that nobody holds the microphone', async () => {
    const { metrics } = sampleSources().microphone();
    const status = { holder: null, connected: false, live: false, muted: false };
    const sources = sampleSources({ microphone: () => ({ status, metrics }) });
    const now = samples(await createMetrics({ sources }).text());
    for (const name of ['held', 'connected', 'live', 'muted']) {
      assert.equal(now.get(`earshot_microphone_${name}`), 0, name);
    }
  });

  it('forgets a child and a route that are gone', async () => {
    let children = sampleSources().children();
    const metrics = createMetrics({ sources: sampleSources({ children: () => children }) });
    assert.match(await metrics.text(), /earshot_child_restarts_total\{child="audio-output"\}/);
    children = [];
    assert.doesNotMatch(await metrics.text(), /earshot_child_restarts_total\{/);
  });

  it('knows no round trip while no viewer reported one', async () => {
    const sources = sampleSources({ sessions: () => [session({ roundTripMs: -1 })] });
    const now = samples(await createMetrics({ sources }).text());
    assert.equal(now.has('earshot_media_worst_round_trip_seconds'), false);
    assert.equal(now.get('earshot_media_worst_loss_ratio'), 0);
  });

  it('takes the worst of those who hear the fast lane, and of what they know', async () => {
    const sources = sampleSources({
      sessions: () => [
        session({ fastLane: fastLane({ delayMs: 50, targetMs: -1 }) }),
        session({ fastLane: fastLane({ delayMs: 48, targetMs: 9 }, 'websocket') }),
        session({ fastLane: { ...fastLane({ delayMs: 120 }), sounding: false } }),
        session(),
      ],
    });
    const now = samples(await createMetrics({ sources }).text());
    assert.equal(now.get('earshot_fast_lane_worst_delay_seconds'), 0.05);
    assert.equal(now.get('earshot_fast_lane_worst_target_seconds'), 0.009);
    assert.equal(now.get('earshot_fast_lane_sessions{via="channel"}'), 2);
    assert.equal(now.get('earshot_fast_lane_sounding'), 2);
  });

  it('knows no delay while nobody hears the fast lane', async () => {
    const sources = sampleSources({ sessions: () => [session()] });
    const now = samples(await createMetrics({ sources }).text());
    assert.equal(now.has('earshot_fast_lane_worst_delay_seconds'), false);
    assert.equal(now.get('earshot_fast_lane_sounding'), 0);
  });

  it('knows no jitter while no microphone arrived', async () => {
    const now = samples(
      await createMetrics({ sources: sampleSources({ sessions: () => [session()] }) }).text(),
    );
    assert.equal(now.has('earshot_media_microphone_worst_jitter_seconds'), false);
  });

  it('counts fewer packets lost when one came twice', async () => {
    const media = { ...sampleSources().media(), microphoneLost: -1 };
    const now = samples(
      await createMetrics({ sources: sampleSources({ media: () => media }) }).text(),
    );
    assert.equal(now.get('earshot_media_microphone_packets_lost'), -1);
  });

  it('keeps a label from breaking out of its line', async () => {
    const evil = { method: 'GET', route: 'a"\n\\b', status: 200, count: 1 };
    const sources = sampleSources({
      api: () => ({ ...sampleSources().api(), requests: [evil] }),
    });
    const text = await createMetrics({ sources }).text();
    assert.match(text, /route="a\\"\\n\\\\b",status="200"\} 1\n/);
  });

  it('takes the main process’s own numbers from the system', async () => {
    const now = samples(await createMetrics({ sources: sampleSources() }).text());
    assert.ok((now.get('earshot_process_resident_memory_bytes') ?? 0) > 10_000_000);
    assert.ok((now.get('earshot_process_cpu_seconds_total') ?? 0) > 0);
    const started = now.get('earshot_process_start_time_seconds') ?? 0;
    assert.ok(started > 1.7e9 && started <= Date.now() / 1_000);
  });
});
