"""The public pages."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from yellowbook.directory.selectors import published
from yellowbook.search.filters import Filters
from yellowbook.search.pages import contact
from yellowbook.search.pages.addresses import absolute
from yellowbook.search.pages.asked import MOST_PAGES, Asked, Unreadable, read
from yellowbook.search.pages.counts import counts
from yellowbook.search.pages.facets import chips, facets
from yellowbook.search.pages.panels import panels_of, panels_of_home
from yellowbook.search.pages.results import PAGE, page_of
from yellowbook.search.pages.sitemaps import businesses_in, parts
from yellowbook.search.pages.structured import as_script, local_business


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the search box, categories and cities."""
    counted, asked = counts(Filters()), Asked()
    context = {
        "is_home": True,
        "counts": counted,
        "categories": [(name, many, asked.url(category=name)) for name, many in counted.categories.items()],
        "cities": [(name, many, asked.url(city=name)) for name, many in counted.cities.items()],
        "panels": panels_of_home(),
        "canonical": absolute(request, reverse("public:home")),
    }
    return render(request, "public/home.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponseBase:
    """Show what was found, or all that fit the filters; 400 with the reasons for what can't be searched for."""
    try:
        asked = read(request.GET)
    except Unreadable as error:
        context = {"asked": Asked(text=error.text), "errors": error.errors, "noindex": True}
        return render(request, "public/search.html", context, status=400)
    page = page_of(asked)
    if not page.entries and asked.page > 1:
        return HttpResponseRedirect(asked.on_page(min(page.last, asked.page - 1)))
    context = {
        "asked": asked,
        "heading": [part for part in (asked.filters.category, asked.filters.city) if part],
        "page": page,
        "start": (page.number - 1) * PAGE + 1,
        "facets": facets(asked, page.counts),
        "chips": chips(asked),
        "previous": asked.on_page(page.number - 1) if page.number > 1 else "",
        "next": asked.on_page(page.number + 1) if page.number < page.last else "",
        "at_the_end": page.number == MOST_PAGES,
        "canonical": absolute(request, asked.address),
        "noindex": bool(asked.text) or not page.entries,
    }
    return render(request, "public/search.html", context)


@require_safe
def business(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a published business; 404 for others."""
    found = get_object_or_404(published(), pk=pk)
    canonical = absolute(request, reverse("public:business", args=[pk]))
    asked = Asked()
    context = {
        "business": found,
        "phones": contact.phones(found),
        "email": contact.email(found),
        "website": contact.website(found),
        "map": contact.map_link(found),
        "geo": contact.geo_link(found),
        "in_category": asked.url(category=found.category),
        "in_city": asked.url(city=found.city) if found.city else "",
        "panels": panels_of(found),
        "structured": as_script(local_business(found, canonical)),
        "canonical": canonical,
    }
    return render(request, "public/business.html", context)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """List the parts of the sitemap."""
    names = parts(counts(Filters()).total)
    addresses = [absolute(request, reverse("public:sitemap_part", args=[name])) for name in names]
    return render(request, "public/sitemap.xml", {"addresses": addresses}, content_type="application/xml")


@require_safe
def sitemap_part(request: HttpRequest, part: str) -> HttpResponse:
    """List the businesses of one part; with the first, the home page too."""
    businesses = [(absolute(request, reverse("public:business", args=[pk])), at) for pk, at in businesses_in(part)]
    home_page = absolute(request, reverse("public:home")) if not part.strip("0") else ""
    context = {"businesses": businesses, "home": home_page}
    return render(request, "public/sitemap_part.xml", context, content_type="application/xml")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Tell search engines where the sitemap is, and what is none of their business."""
    context = {"sitemap": absolute(request, reverse("public:sitemap"))}
    return render(request, "public/robots.txt", context, content_type="text/plain; charset=utf-8")
