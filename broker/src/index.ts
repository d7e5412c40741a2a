export { CrowdaiError } from "@crowdai/shared";
export { type BrokerConfig, readConfig } from "./base/config.ts";
export { type Broker, type BrokerOptions, createBroker } from "./startup/broker.ts";
