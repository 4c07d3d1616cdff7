#!/usr/bin/env node
import { launch } from "./launch.mjs";

void launch("clawdbot");
