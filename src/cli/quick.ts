// The commands that look at a running Gateway or at the config, all day and from scripts: one file of the build (scripts/build.ts).
// Each file that Node has to find and link costs such a command more than the code in it does.

export { run as agent } from "./agent.ts";
export { run as agentsList } from "./agents/list.ts";
export { run as channelsList } from "./channels/list.ts";
export { run as channelsStatus } from "./channels/status.ts";
export { run as configGet } from "./config/get.ts";
export { run as configValidate } from "./config/validate.ts";
export { run as configWhere } from "./config/where.ts";
export { run as devicesList } from "./devices/list.ts";
export { run as gatewayCall } from "./gateway/call.ts";
export { run as gatewayProbe } from "./gateway/probe.ts";
export { run as gatewayStatus } from "./gateway/status.ts";
export { run as gatewayUsageCost } from "./gateway/usage-cost.ts";
export { run as health } from "./health.ts";
export { run as logs } from "./logs.ts";
export { run as messageSend } from "./message/send.ts";
export { list as modelsList, status as modelsStatus } from "./models/list.ts";
export {
  status as nodesStatus,
  list as nodesList,
  pending as nodesPending,
  describe as nodesDescribe,
} from "./nodes/list.ts";
export { run as sessions } from "./sessions.ts";
export { run as status } from "./status.ts";
export { run as systemEvent } from "./system/event.ts";
export { run as systemPresence } from "./system/presence.ts";
