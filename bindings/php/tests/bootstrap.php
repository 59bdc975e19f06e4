<?php

declare(strict_types=1);

require __DIR__ . '/../autoload.php';

spl_autoload_register(static function (string $class): void {
    $prefix = 'Consolepass\\Tests\\';
    $file = __DIR__ . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    if (str_starts_with($class, $prefix) && is_file($file)) {
        require $file;
    }
});

// What was built, unless make says something else: the library lies beside the program.
$program = getenv('CONSOLEPASS_PROGRAM') ?: dirname(__DIR__, 3) . '/target/debug/consolepass';
$library = getenv('CONSOLEPASS_LIBRARY') ?: dirname($program) . '/libconsolepass_ffi.so';
foreach (['CONSOLEPASS_PROGRAM' => $program, 'CONSOLEPASS_LIBRARY' => $library] as $name => $path) {
    putenv("$name=$path");
    if (!is_file($path)) {
        fwrite(STDERR, "$name is $path, which is not there: make cli\n");
        exit(1);
    }
}
