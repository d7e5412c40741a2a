import { uploadsContract } from "./uploads.contract.ts";

uploadsContract("swift");
