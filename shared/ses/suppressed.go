package ses

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
)

// Suppressed is the suppression list of the whole account, also of what else sends with it: SES takes mails to an address on it and drops
// them. SES itself puts addresses there that bounced for good or complained
// (https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html).
type Suppressed struct{ client *sesv2.Client }

// NewSuppressed is the list of the client's account and region.
func NewSuppressed(client *sesv2.Client) *Suppressed { return &Suppressed{client} }

// Remove takes an address off the list, so that SES sends to it again. One that is not on it is no error. After an error it may be on it or
// not, and Remove can be repeated. The error does not name the address.
func (s *Suppressed) Remove(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.client.DeleteSuppressedDestination(ctx, &sesv2.DeleteSuppressedDestinationInput{EmailAddress: &address})
	var none *types.NotFoundException
	if err == nil || errors.As(err, &none) {
		return nil
	}
	// The address stands in the request's path, which the client puts into its errors, and in SES's own words: and errors are logged.
	var api smithy.APIError
	var wire *url.Error
	switch {
	case errors.As(err, &api):
		return fmt.Errorf("SES's suppression list: %s", api.ErrorCode())
	case errors.As(err, &wire):
		return fmt.Errorf("SES's suppression list: %w", wire.Err)
	case ctx.Err() != nil:
		return fmt.Errorf("SES's suppression list: %w", ctx.Err())
	}
	return errors.New("SES's suppression list: no answer that is understood")
}
