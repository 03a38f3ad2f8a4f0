package dynamo

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/go-json-experiment/json/jsontext"
)

// A check is one BatchGetItem, and most of what the SDK spends on one goes into maps: of attribute values on the way out, of
// interfaces that hold pointers to strings on the way back. So for the two calls that read facts this file writes the request's
// JSON and reads the response's itself, straight into items. Everything else stays the SDK's: endpoint, credentials, signature,
// clock skew, retries, error codes. The place to do it is Options.Protocol, which the SDK has for that ("a caller can define
// their own protocol") and which takes nothing out of the stack. A hand-made HTTP request with the SDK's signer was turned down:
// it would be faster still, but would be ours to keep right whenever the service changes.

// call is one call in DynamoDB's protocol. The embedded protocol, the SDK's own, decodes errors.
type call struct {
	smithyhttp.ClientProtocol
	target  []string // the header that names the operation
	request []byte
	read    func(*scanner) error // takes the response's JSON
	pool    *sync.Pool           // of *scanner
}

// use makes the call's protocol the one of a single SDK call.
func (c *call) use(o *dynamodb.Options) {
	c.ClientProtocol = o.Protocol
	o.Protocol = c
	// DeserializeResponse checks the response itself, before it believes any of it; the SDK's check comes after the decoding and
	// its finding is only logged.
	o.DisableValidateResponseChecksum = true
}

// The headers are never written to, only replaced, so that calls may share them.
//
//nolint:gochecknoglobals // constants that Go cannot call so
var (
	batchGetTarget    = []string{"DynamoDB_20120810.BatchGetItem"}
	transactGetTarget = []string{"DynamoDB_20120810.TransactGetItems"}
	contentType       = []string{"application/x-amz-json-1.0"}
	identity          = []string{"identity"}
)

// SerializeRequest puts the prepared body into the request.
func (c *call) SerializeRequest(_ context.Context, _ *smithy.OperationSchema, _ smithy.Serializable, r *smithyhttp.Request) error {
	r.Method = http.MethodPost
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	r.Header["X-Amz-Target"] = c.target
	r.Header["Content-Type"] = contentType
	s, err := r.SetStream(bytes.NewReader(c.request))
	if err != nil {
		return fmt.Errorf("set the request's body: %w", err)
	}
	*r = *s
	return nil
}

// DeserializeResponse reads the items of a successful response; the SDK reads the others.
func (c *call) DeserializeResponse(
	ctx context.Context, op *smithy.OperationSchema, tr *smithy.TypeRegistry, r *smithyhttp.Response, out smithy.Deserializable,
) error {
	if r.StatusCode < 200 || r.StatusCode > 299 {
		return c.ClientProtocol.DeserializeResponse(ctx, op, tr, r, out)
	}
	s, _ := c.pool.Get().(*scanner)
	if s == nil {
		s = &scanner{}
	}
	defer c.pool.Put(s)
	s.body.Reset()
	if r.ContentLength > 0 {
		s.body.Grow(int(min(r.ContentLength, maxResponse)) + bytes.MinRead) // or ReadFrom grows once more to see the end
	}
	if _, err := s.body.ReadFrom(r.Body); err != nil {
		return &damaged{fmt.Errorf("read the response: %w", err)}
	}
	if want := r.Header.Get("X-Amz-Crc32"); want != "" {
		if got := strconv.FormatUint(uint64(crc32.ChecksumIEEE(s.body.Bytes())), 10); got != want {
			return &damaged{fmt.Errorf("the response's checksum is %s and should be %s", got, want)}
		}
	}
	s.start()
	if err := c.read(s); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}

// maxResponse is what DynamoDB sends at most: 16 MB of items, which its JSON can double.
const maxResponse = 32 << 20

// damaged is a response that was lost on its way: asking again is safe, and the SDK does so.
type damaged struct{ error }

func (d *damaged) RetryableError() bool { return true }
func (d *damaged) Unwrap() error        { return d.error }

// scanner reads DynamoDB's JSON. It is strict about what it looks at and checks every step, but it is no general JSON decoder: the
// service's front end has encoded the text and the checksum has proved it whole. It is used again and again; what it returns
// stays valid, but for an item's list of attributes.
type scanner struct {
	body  bytes.Buffer
	text  string // the body once more: the items' texts are parts of it, so that all of them are one allocation
	at    int
	attrs []attr // of the latest item
}

func (s *scanner) start() {
	s.text, s.at = s.body.String(), 0
}

// unexpected is the error of a text that is not what DynamoDB sends.
func (s *scanner) unexpected() error {
	return fmt.Errorf("the response is not what DynamoDB sends, at byte %d of %d", s.at, len(s.text))
}

// peek is the next byte that is not white space; 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.unexpected()
	}
	s.at++
	return nil
}

// more is asked before each member or element: whether there is one before the closing byte, which it takes.
func (s *scanner) more(first bool, end byte) (bool, error) {
	switch c := s.peek(); {
	case c == end:
		s.at++
		return false, nil
	case first:
		return true, nil
	default:
		return true, s.expect(',')
	}
}

// object calls member for each member's name; member reads the value.
func (s *scanner) object(member func(name string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.more(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
}

// array calls element for each element, which it reads.
func (s *scanner) array(element func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.more(first, ']')
		if err != nil || !more {
			return err
		}
		if err := element(); err != nil {
			return err
		}
	}
}

func (s *scanner) name() (string, error) {
	name, err := s.string()
	if err != nil {
		return "", err
	}
	return name, s.expect(':')
}

// string reads a string, without copying it where it can.
func (s *scanner) string() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	rest := s.text[s.at:]
	end := strings.IndexByte(rest, '"')
	if end < 0 {
		return "", s.unexpected()
	}
	if strings.IndexByte(rest[:end], '\\') < 0 {
		s.at += end + 1
		return rest[:end], nil
	}
	for end = 0; end < len(rest) && rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++ // what is escaped may be a quote
		}
	}
	if end >= len(rest) {
		return "", s.unexpected()
	}
	text, err := jsontext.AppendUnquote(nil, s.text[s.at-1:s.at+end+1])
	s.at += end + 1
	return string(text), err
}

// skip passes over a value of any kind.
func (s *scanner) skip() error {
	for depth := 0; ; {
		switch c := s.peek(); c {
		case 0:
			return s.unexpected()
		case '"':
			if _, err := s.string(); err != nil {
				return err
			}
		case '{', '[':
			s.at++
			depth++
			continue
		case '}', ']', ',', ':':
			if depth == 0 {
				return s.unexpected()
			}
			s.at++
			if c == ',' || c == ':' {
				continue
			}
			depth--
		default: // a number, true, false or null
			for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n,:]}", rune(s.text[s.at])) {
				s.at++
			}
		}
		if depth == 0 {
			return nil
		}
	}
}

// item reads one item; it is good until the next. Attributes of kinds that are never written are left out, like in fromSDK.
func (s *scanner) item() (item, error) {
	s.attrs = s.attrs[:0]
	err := s.object(func(name string) error {
		a := attr{name: name}
		known, err := s.value(&a)
		if known {
			s.attrs = append(s.attrs, a)
		}
		return err
	})
	return item{attrs: s.attrs}, err
}

// value reads an attribute's value: {"S": "text"}.
func (s *scanner) value(a *attr) (known bool, err error) {
	// Nearly all look exactly so, and are all there is to read in a batch: the short way halves its time.
	if rest := s.text[s.at:]; strings.HasPrefix(rest, `{"S":"`) || strings.HasPrefix(rest, `{"N":"`) {
		const from = len(`{"S":"`)
		if n := strings.IndexByte(rest[from:], '"'); n >= 0 && strings.HasPrefix(rest[from+n:], `"}`) &&
			strings.IndexByte(rest[from:from+n], '\\') < 0 {
			a.text = rest[from : from+n]
			s.at += from + n + len(`"}`)
			return true, nil
		}
	}
	if err := s.expect('{'); err != nil {
		return false, err
	}
	typ, err := s.name()
	if err != nil {
		return false, err
	}
	switch typ {
	case "S", "N":
		known = true
		a.text, err = s.string()
	case "BOOL":
		known = true
		switch {
		case s.peek() == 't' && strings.HasPrefix(s.text[s.at:], "true"):
			a.text = "1"
			s.at += len("true")
		case s.peek() == 'f' && strings.HasPrefix(s.text[s.at:], "false"):
			s.at += len("false")
		default:
			err = s.unexpected()
		}
	case "L":
		known = true
		err = s.array(func() error {
			var e attr
			known, err := s.value(&e)
			if known && e.list == nil {
				a.list = append(a.list, e.text)
			}
			return err
		})
	default:
		err = s.skip()
	}
	if err == nil {
		err = s.expect('}')
	}
	return known, err
}

// key reads an item's key.
func (s *scanner) key() (Key, error) {
	it, err := s.item()
	return Key{strings.Clone(it.s(pk)), strings.Clone(it.s(sk))}, err
}

// appendKey appends {"pk":{"S":"..."},"sk":{"S":"..."}}.
func appendKey(b []byte, k Key) []byte {
	b = append(b, `{"`+pk+`":{"S":`...)
	b = appendString(b, k.PK)
	b = append(b, `},"`+sk+`":{"S":`...)
	b = appendString(b, k.SK)
	return append(b, `}}`...)
}

func appendString(b []byte, s string) []byte {
	out, _ := jsontext.AppendQuote(b, s) // it fails at invalid UTF-8 alone: the replaced characters make it a key that is not there
	return out
}

// decisive are the attributes that a decision looks at, less than half of what is there: the rest stays with DynamoDB. They have other
// names here, as some are words that DynamoDB reserves. TestFactsHoldAllThatDecisionsLookAt guards it: a decision that looks at more needs
// more here.
const decisive = `"ProjectionExpression":"#a,#b,#c,#d,#e,#f,#g,#h,#i,#j,#k,#l,#m,#n,#o,#p,#q,#r,#s,#t,#u,#v,#w,#x,#y,#z,#aa,#ab,#ac,#ad,#ae,#af","ExpressionAttributeNames":{` +
	`"#a":"pk","#b":"sk","#c":"id","#d":"status","#e":"class","#f":"offer","#g":"sso",` + // of a partner
	`"#h":"number","#i":"role","#j":"member_of","#x":"email","#y":"former",` + // of a user
	`"#k":"customer","#l":"partner","#m":"level","#n":"state","#o":"from","#p":"until","#q":"require_sso","#r":"everyone","#s":"epoch",` +
	`"#t":"up_to","#u":"end_reason","#z":"domain","#aa":"caps","#ac":"assigned_by","#af":"asking",` + // of a grant
	`"#v":"user","#w":"out","#ab":"by","#ad":"` + used + `","#ae":"` + usedBy + `"},` // of an assignment

// batchGet reads the items of at most 100 distinct keys and gives each to found. It returns the keys that DynamoDB left out.
func (r *Reader) batchGet(ctx context.Context, keys []Key, strong bool, found func(item)) (left []Key, err error) {
	c := call{target: batchGetTarget, pool: &r.scanners}
	size := len(r.table) + len(r.decisive) + 80
	for _, k := range keys {
		size += len(k.PK) + len(k.SK) + 32
	}
	b := append(make([]byte, 0, size), `{"RequestItems":{`...)
	b = appendString(b, r.table)
	b = append(b, `:{`...)
	b = append(b, r.decisive...)
	if strong {
		b = append(b, `"ConsistentRead":true,`...)
	}
	b = append(b, `"Keys":[`...)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendKey(b, k)
	}
	c.request = append(b, `]}}}`...)

	// A response can be read in part before it turns out to be damaged, and then comes again. found must bear to be told twice.
	c.read = func(s *scanner) error {
		left = left[:0]
		return s.object(func(name string) error {
			switch name {
			case "Responses":
				return s.object(func(string) error { // the one table
					return s.array(func() error {
						it, err := s.item()
						if err == nil {
							found(it)
						}
						return err
					})
				})
			case "UnprocessedKeys":
				return s.object(func(string) error {
					return s.object(func(name string) error {
						if name != "Keys" {
							return s.skip()
						}
						return s.array(func() error {
							k, err := s.key()
							left = append(left, k)
							return err
						})
					})
				})
			default:
				return s.skip()
			}
		})
	}
	if r.quick != nil {
		if read, err := r.quick.send(ctx, &c); read || err != nil {
			return left, err
		}
	}
	if _, err := r.client.BatchGetItem(ctx, r.batch, c.use); err != nil {
		return nil, err
	}
	return left, nil
}

// transactGet reads the items of at most 100 distinct keys as of one instant.
func (r *Reader) transactGet(ctx context.Context, keys []Key, found func(item)) error {
	c := call{target: transactGetTarget, pool: &r.scanners}
	b := append([]byte(nil), `{"TransactItems":[`...)
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Get":{"TableName":`...)
		b = appendString(b, r.table)
		b = append(b, `,"Key":`...)
		b = appendKey(b, k)
		b = append(b, `}}`...)
	}
	c.request = append(b, `]}`...)
	c.read = func(s *scanner) error {
		return s.object(func(name string) error {
			if name != "Responses" {
				return s.skip()
			}
			return s.array(func() error {
				return s.object(func(name string) error {
					if name != "Item" {
						return s.skip()
					}
					it, err := s.item()
					if err == nil && len(it.attrs) > 0 {
						found(it)
					}
					return err
				})
			})
		})
	}
	_, err := r.client.TransactGetItems(ctx, r.transact, c.use)
	return err
}

// What the SDK is handed stands for the real input: it looks at the table, to find the endpoint, and that nothing is missing.
func batchInput(table string) *dynamodb.BatchGetItemInput {
	return &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: {Keys: []map[string]types.AttributeValue{}}}}
}

func transactInput(table string) *dynamodb.TransactGetItemsInput {
	return &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: &table, Key: map[string]types.AttributeValue{}}},
	}}
}
