// What the files of a bundle are called.

export const files = {
  environment: "environment.json",
  status: "status/gateway-status.json",
  health: "health/gateway-health.json",
  timeline: "timeline/timeline.json",
  minutes: "timeline/minutes.jsonl",
  config: "config/sanitized.json",
  configTimeline: "config/timeline.json",
  database: "database.json",
  doctor: "doctor.json",
  service: "service.json",
  disk: "disk.json",
  log: "logs/gateway-sanitized.jsonl",
} as const;
