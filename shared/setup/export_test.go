package setup

// OnShutdown is onShutdown, for its test.
var OnShutdown = onShutdown
