<?php

declare(strict_types=1);

/*
 * For opcache.preload, where a pool of PHP-FPM has ffi.enable=preload, PHP's default: what is preloaded may use FFI there. It
 * loads no library and starts no thread; the worker that needs the library does, after the fork.
 */
(static function (): void {
    foreach (['src', 'src/Exception', 'src/Internal'] as $folder) {
        foreach ((array) glob(__DIR__ . "/$folder/*.php") as $file) {
            opcache_compile_file((string) $file);
        }
    }
})();
