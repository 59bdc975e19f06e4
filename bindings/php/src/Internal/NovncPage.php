<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\Exception\ConsolepassException;

/**
 * The link of a noVNC page that opens a pass's websocket, right in every version.
 *
 * A value is decoded once, so the path is encoded as a whole and a pass in it twice. What the link leaves out the page would read
 * from its localStorage, or from defaults that changed in 1.6; so host, port, encrypt, path and autoconnect always stand there.
 */
final class NovncPage
{
    use NotUnserialized;

    private const VERSIONS = ['0.5', '0.6', '1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6', '1.7'];
    private const FULL = 'vnc.html';
    private const LITE = 'vnc_lite.html';
    private const AUTO = 'vnc_auto.html';

    private const ACCEPTED = 'accepted is the http or https address of vnc.html, of vnc_lite.html (from noVNC 1.0) or of '
        . 'vnc_auto.html (before 1.0), without query and fragment, such as https://portal.example.com/novnc/vnc.html';

    private const WORDS = [
        'spaces' => 'an address holds no spaces',
        'scheme' => 'this is no web page',
        'tail' => 'it has a query or fragment already',
        'accepted' => self::ACCEPTED,
    ];

    private readonly Url $url;
    private readonly string $file;
    private readonly string $version;

    /** @param array<string, string|int|bool|list<string>> $options of a page, with their defaults */
    public function __construct(
        #[\SensitiveParameter] string $page,
        #[\SensitiveParameter] private readonly array $options,
    ) {
        $this->url = WebAddress::parse('page', $page, self::WORDS);
        $this->file = substr($this->url->path, strrpos($this->url->path, '/') + 1);
        if (!in_array($this->file, [self::FULL, self::LITE, self::AUTO], true)) {
            throw WebAddress::wrong('page', $page, 'this is no page of noVNC', self::ACCEPTED);
        }
        $given = (string) $options['version'];
        $this->version = (string) preg_replace('/^([0-9]+\.[0-9]+)\.[0-9]+$/D', '$1', $given);
        if (!in_array($this->version, self::VERSIONS, true)) {
            throw Failure::invalid('page: version', $given, 'accepted are ' . implode(', ', self::VERSIONS));
        }
        $isPart = match ($this->file) {
            self::FULL => true,
            self::LITE => $this->isSince('1.0'),
            self::AUTO => !$this->isSince('1.0'),
        };
        if (!$isPart) {
            throw Failure::invalid('page', $this->file, "noVNC {$this->version} has no such page; " . self::ACCEPTED);
        }
    }

    /** The link that makes the page open $websocket, a relay's with a pass in it. */
    public function link(#[\SensitiveParameter] string $websocket): string
    {
        $target = Url::parse($websocket);
        $isEncrypted = $target->scheme === 'wss';
        $this->checkScheme($isEncrypted);
        $path = substr($websocket, strlen($target->origin()) + 1);
        // The first one may be missed: vnc_lite.html from 1.1 on looks for `?name=` and `&name=` alone. It connects unasked.
        $parameters = ['autoconnect' => '1', 'host' => $target->host, 'port' => (string) $target->portOrDefault()];
        $parameters += $this->flag('encrypt', $isEncrypted);
        // A second connection with the same link is refused by whoever issued it, and so is a third.
        $parameters += ['path' => $path, 'reconnect' => '0'];
        $parameters += $this->resize() + $this->flag('view_only', $this->options['viewOnly'] === true);
        if ($this->options['withPassword'] === true && !$this->isSince('0.6')) {
            $reason = "noVNC {$this->version} reads the query alone, which stands in server logs; from 0.6 on a link can hold the password";
            throw Failure::invalid('page: withPassword', 'true', $reason);
        }
        $pairs = [];
        foreach ($parameters as $name => $value) {
            $pairs[] = "$name=" . rawurlencode($value);
        }
        $mark = $this->isSince('0.6') ? '#' : '?';
        return $this->url->origin() . $this->url->path . $mark . implode('&', $pairs);
    }

    /** vnc_lite.html follows the scheme of its page: from 1.1 on always, in 1.0 unless it is told to encrypt. */
    private function checkScheme(bool $isEncrypted): void
    {
        $canBeTold = !$this->isSince('1.1') && $isEncrypted;
        if ($this->file !== self::LITE || $canBeTold || ($this->url->scheme === 'https') === $isEncrypted) {
            return;
        }
        $scheme = $isEncrypted ? 'https' : 'http';
        $reason = "the websocket's encryption follows this page's scheme, which has to be $scheme here; vnc.html can be told";
        throw Failure::invalid('page', self::LITE, $reason);
    }

    /**
     * In vnc_lite.html any text counts as true, so its false is left out.
     *
     * @return array<string, string>
     */
    private function flag(string $name, bool $value): array
    {
        if ($value) {
            return [$name => '1'];
        }
        return $this->file === self::LITE ? [] : [$name => '0'];
    }

    /**
     * vnc.html has one parameter with three values; the small pages have one of its own for each.
     *
     * @return array<string, string>
     */
    private function resize(): array
    {
        $wanted = (string) $this->options['resize'];
        if (!in_array($wanted, ['off', 'scale', 'remote'], true)) {
            throw $this->wrongResize($wanted, 'accepted are off, scale and remote');
        }
        if ($this->file === self::FULL) {
            return ['resize' => $wanted];
        }
        if ($wanted === 'remote') {
            return $this->file === self::LITE && $this->isSince('1.1')
                ? throw $this->wrongResize($wanted, 'for vnc_lite.html off and scale are accepted')
                : ['resize' => '1'];
        }
        // vnc_auto.html cannot scale, and as that is the default it is no error.
        return $this->file === self::LITE && $wanted === 'scale' ? ['scale' => '1'] : [];
    }

    private function wrongResize(#[\SensitiveParameter] string $wanted, string $accepted): ConsolepassException
    {
        return Failure::invalid('page: resize', $wanted, $accepted);
    }

    private function isSince(string $version): bool
    {
        return version_compare($this->version, $version, '>=');
    }
}
