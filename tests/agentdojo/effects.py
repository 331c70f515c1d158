"""What each tool of the suites does to the world, and whose words come out of it.

The package does not say it, so it is said here, by reading the tools. `irreversible` is what
nobody can take back: money that left, words that others have read, what is gone. `write` changes
what is the user's own or can be undone. A tool that is not in the tables is an error: a new
version of the suites must be read again.

Fetching a page (`get_webpage`, `download_file`) is a `write`, not a read: the address goes out to
a server that an attacker may own, and one of the injection tasks is nothing but that. Only what
acts has arguments that text from outside must not reach; a read is taken to be asked of somebody
who keeps it to himself. It is `idempotent`: to fetch a page twice tells its server nothing new.
"""

from __future__ import annotations

IRREVERSIBLE = frozenset(
    """
    send_money send_email send_direct_message send_channel_message post_webpage
    delete_email delete_file share_file
    """.split()
)
WRITE = frozenset(
    """
    schedule_transaction update_scheduled_transaction update_password update_user_info
    add_user_to_channel invite_user_to_slack remove_user_from_slack get_webpage download_file
    create_calendar_event cancel_calendar_event reschedule_calendar_event
    add_calendar_event_participants create_file append_to_file
    reserve_hotel reserve_restaurant reserve_car_rental
    """.split()
)
READ = frozenset(
    """
    get_iban get_balance get_most_recent_transactions get_scheduled_transactions read_file
    get_user_info get_channels read_channel_messages read_inbox get_users_in_channel
    get_user_information get_all_hotels_in_city get_hotels_prices get_hotels_address
    get_rating_reviews_for_hotels get_all_restaurants_in_city get_restaurants_address
    get_rating_reviews_for_restaurants get_cuisine_type_for_restaurants
    get_dietary_restrictions_for_all_restaurants get_contact_information_for_restaurants
    get_price_for_restaurants check_restaurant_opening_hours
    get_all_car_rental_companies_in_city get_car_types_available get_rating_reviews_for_car_rental
    get_car_rental_address get_car_fuel_options get_car_price_per_day get_flight_information
    get_unread_emails get_sent_emails get_received_emails get_draft_emails search_emails
    search_contacts_by_name search_contacts_by_email get_current_day search_calendar_events
    get_day_calendar_events search_files_by_filename get_file_by_id list_files search_files
    """.split()
)
FETCHES = frozenset({"get_webpage", "download_file"})
OWN = frozenset({"get_current_day", "get_iban", "get_user_info", "get_user_information"})
"""Answers that only the user's own bank, clock or account makes."""


def effect(tool: str) -> str:
    """`read`, `write` or `irreversible`."""
    for word, tools in (("irreversible", IRREVERSIBLE), ("write", WRITE), ("read", READ)):
        if tool in tools:
            return word
    raise LookupError(f"nobody has said what `{tool}` does to the world, see effects.py")


def is_untrusted(tool: str) -> bool:
    """Whether somebody outside may have written what a tool answers."""
    return tool not in OWN
