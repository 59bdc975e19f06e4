<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\Base64Url;
use Consolepass\Internal\Failure;
use Consolepass\Internal\Json;
use Consolepass\Internal\LogLines;
use Consolepass\Internal\Machine;
use Consolepass\Internal\Moment;
use Consolepass\Internal\NotUnserialized;
use Consolepass\Internal\Options;
use Consolepass\Internal\PassKey;
use Consolepass\Internal\PublicUrl;
use Consolepass\Internal\Reference;
use Consolepass\Internal\Secret;
use Consolepass\Internal\Text;

/**
 * Makes signed passes and nothing else, in plain PHP: no FFI, no library, no hypervisor, no connection.
 *
 * The relay that takes them runs beside the portal, as `vendor/bin/consolepass relay`, and has the same public_url and the same
 * key, or its public half.
 */
final class Issuer
{
    use NotUnserialized;

    private const LONGEST_USER = 256;

    private readonly PublicUrl $publicUrl;
    private readonly PassKey $key;
    private readonly string $relayId;

    /**
     * Reads the key file.
     *
     * @param array{publicUrl: string, passKeyFile: string} $options
     * @throws Exception\ConsolepassException
     */
    public function __construct(#[\SensitiveParameter] array $options)
    {
        $values = Options::check('issuer', $options);
        $this->publicUrl = PublicUrl::parse(Options::requiredText('issuer', $values, 'publicUrl'));
        $this->key = PassKey::fromFile(Options::requiredText('issuer', $values, 'passKeyFile'));
        $this->relayId = $this->publicUrl->relayId();
    }

    /**
     * Issues a pass. Whether this customer may open this machine's console is the portal's to know, and to check before.
     *
     * @param string $backend the name under which the relay knows the hypervisor
     * @param string $machine qemu/101, lxc/200, pve2/qemu/101 with its node, node/pve1, or 101
     * @param array{user?: string, ttl?: int, kind?: string} $options
     * @throws Exception\ConsolepassException
     */
    public function issue(string $backend, string $machine, #[\SensitiveParameter] array $options = []): Pass
    {
        $values = Options::withDefaults('pass', $options);
        Text::checked('backend', $backend);
        if (preg_match('/^[A-Za-z0-9._-]{1,64}$/D', $backend) !== 1) {
            $names = "a backend's name has 1 to 64 letters, digits, '-', '_' or '.'";
            throw Failure::invalid('backend', $backend, $names);
        }
        $user = $values['user'] ?? null;
        if ($user !== null && (strlen($user) > self::LONGEST_USER || preg_match('/\p{Cc}/u', $user) === 1)) {
            throw Failure::invalid('pass: user', $user, 'must have at most 256 bytes and no control characters');
        }
        $machine = Machine::normalized(Text::checked('machine', $machine));
        $kind = self::kind($values['kind']);

        $reference = Reference::random();
        $claims = [
            'aud' => $this->publicUrl->text,
            'jti' => $reference,
            'backend' => $backend,
            'machine' => $machine,
            'kind' => $kind,
        ];
        if ($user !== null) {
            $claims['user'] = $user;
        }
        $now = microtime(true);
        $expiresAt = $now + $values['ttl'];
        $signed = $this->key->header . '.' . Base64Url::encode(self::times($now, $expiresAt) . substr(Json::encode($claims), 1));
        $text = "{$this->relayId}.$signed." . Base64Url::encode($this->key->sign($signed));
        $told = ['reference' => $reference, 'backend' => $backend, 'machine' => $machine];
        LogLines::write('info', 'pass issued', $user === null ? $told : $told + ['user' => $user]);
        return new Pass(new Secret($text), $this->publicUrl, $reference, Moment::of($expiresAt));
    }

    /**
     * The beginning of the claims. Microseconds, as fine as these numbers are exact: a relay tells passes from before its start
     * from those after it. Not by json_encode(), which rounds as serialize_precision says.
     */
    private static function times(float $now, float $expiresAt): string
    {
        return sprintf('{"iat":%1$.6F,"nbf":%1$.6F,"exp":%2$.6F,', $now, $expiresAt);
    }

    private static function kind(string $kind): string
    {
        return match ($kind) {
            'vnc' => $kind,
            'terminal', 'spice', 'guacamole' => throw Failure::of(
                ErrorCode::Unsupported,
                'kind: ' . Text::quoted($kind) . ' is not supported yet; vnc is',
            ),
            default => throw Failure::invalid('kind', $kind, 'accepted is vnc'),
        };
    }
}
