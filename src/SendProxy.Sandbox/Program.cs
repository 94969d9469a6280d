using SendProxy.Sandbox.Cli;

return await SandboxCommands.RunAsync(args);
